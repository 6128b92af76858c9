-- Pictures of the whole frame that a method remade, to be looked at.
CREATE TABLE pictures (
    run_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    height INTEGER NOT NULL,            -- of the picture itself, which covers the whole frame
    width INTEGER NOT NULL,
    channels INTEGER NOT NULL CHECK (channels IN (1, 3)),
    data BLOB NOT NULL                  -- bytes, rows from the first, colours of a pixel together, zstd
);
