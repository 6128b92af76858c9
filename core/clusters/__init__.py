"""Star clusters: found in pictures and in catalogues, their members and their structure."""
