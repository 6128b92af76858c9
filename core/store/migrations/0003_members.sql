-- Which cluster each row of a table belongs to: what a method of tables found besides its detections.
CREATE TABLE members (
    run_id VARCHAR NOT NULL,
    data BLOB NOT NULL                  -- row, cluster, probability: Arrow IPC stream, zstd
);
