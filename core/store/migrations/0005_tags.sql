-- What is said of a frame beside its own header, such as the body it shows. Rows are added, never changed:
-- the last word on a name counts.
CREATE TABLE tags (
    frame_key VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    source VARCHAR NOT NULL,            -- how it is known, in words
    person VARCHAR,                     -- who said it, if a person did
    said_at TIMESTAMP NOT NULL
);
