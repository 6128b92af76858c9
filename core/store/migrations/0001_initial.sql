-- Frames, runs, what the runs found, and what people put right.
-- There are no foreign keys: DuckDB checks them row by row, and every row below is written in the
-- transaction that writes its run.

CREATE TABLE frames (
    frame_key VARCHAR PRIMARY KEY,      -- hash of the very pixels: file, extension, plane, processing
    sha256 VARCHAR NOT NULL,            -- hash of the file
    name VARCHAR NOT NULL,
    width INTEGER NOT NULL,             -- pixels
    height INTEGER NOT NULL,            -- pixels
    colour BOOLEAN NOT NULL,
    pixel_scale_arcsec DOUBLE,
    centre_ra_deg DOUBLE,
    centre_dec_deg DOUBLE,
    hdu INTEGER,
    plane INTEGER,
    processing VARCHAR NOT NULL,        -- canonical JSON of the steps, or empty
    header JSON NOT NULL,
    first_seen TIMESTAMP NOT NULL       -- UTC, as every timestamp here
);

CREATE TABLE runs (
    run_id VARCHAR PRIMARY KEY,
    frame_key VARCHAR NOT NULL,
    frame_name VARCHAR NOT NULL,        -- as it was called in this run; the same pixels may have two names
    task VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    params JSON NOT NULL,               -- canonical: equal parameters are equal text
    weights_sha256 VARCHAR,
    version VARCHAR NOT NULL,
    started_at VARCHAR NOT NULL,        -- ISO 8601, as the run's provenance gives it
    saved_at TIMESTAMP NOT NULL,
    seconds DOUBLE,
    timings MAP(VARCHAR, DOUBLE) NOT NULL,
    facts MAP(VARCHAR, DOUBLE) NOT NULL,
    warnings VARCHAR[] NOT NULL,
    summary VARCHAR NOT NULL,
    n_detections INTEGER NOT NULL,
    n_rejected INTEGER NOT NULL,
    person VARCHAR
);

-- The columns every detection has, one row a detection, to be asked in SQL.
CREATE TABLE detections (
    run_id VARCHAR NOT NULL,
    accepted BOOLEAN NOT NULL,          -- false for a candidate the method turned down
    row_number INTEGER NOT NULL,        -- 0-based, among the accepted or among the rejected
    reason VARCHAR,                     -- why it was turned down
    label VARCHAR NOT NULL,
    score DOUBLE NOT NULL,
    x DOUBLE NOT NULL,
    y DOUBLE NOT NULL,
    x_min DOUBLE,
    y_min DOUBLE,
    x_max DOUBLE,
    y_max DOUBLE,
    flux DOUBLE,
    ra_deg DOUBLE,
    dec_deg DOUBLE,
    name VARCHAR
);

-- The columns that are a method's own, kept whole so that their types come back as they were.
CREATE TABLE own_columns (
    run_id VARCHAR NOT NULL,
    accepted BOOLEAN NOT NULL,
    units JSON NOT NULL,                -- of every column of the table that has one
    dtypes JSON NOT NULL,               -- pandas' names, in the order of the columns
    data BLOB NOT NULL                  -- Arrow IPC stream, zstd
);

CREATE TABLE layers (
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('map', 'mask')),
    name VARCHAR NOT NULL,
    height INTEGER NOT NULL,            -- of the layer itself, which covers the whole frame
    width INTEGER NOT NULL,
    dtype VARCHAR NOT NULL,             -- little-endian
    data BLOB NOT NULL                  -- rows from the first, zstd
);

-- Append-only. The primary key is also the lock: two writers who both append the same number conflict.
CREATE TABLE corrections (
    run_id VARCHAR NOT NULL,
    seq INTEGER NOT NULL,               -- 1, 2, 3 … within the run
    correction_id VARCHAR NOT NULL,
    person VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    before JSON NOT NULL,
    after JSON NOT NULL,
    note VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    PRIMARY KEY (run_id, seq)
);
