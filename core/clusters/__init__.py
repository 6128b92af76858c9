"""Star clusters: found in catalogues, their members and their structure."""
