-- What a corpus file holds; store.py reads it, writing.py writes it.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY,  -- order of first arrival, kept when the content changes
    id TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL,          -- of everything but the source
    standing INTEGER NOT NULL,   -- by itself, see retractions.py; notices are applied on reading
    kept INTEGER,                -- number of the document that this one repeats
    passages INTEGER NOT NULL,
    year INTEGER NOT NULL,       -- 0 where unknown
    grade INTEGER NOT NULL,      -- into answer.GRADES
    organisation INTEGER NOT NULL,
    pmid TEXT NOT NULL,          -- "pmid:1", "" where unknown
    doi TEXT NOT NULL,           -- "doi:10.1/x", lower case
    file INTEGER NOT NULL        -- that it was read from last; 0 where it came from none
);
CREATE INDEX read_from ON documents (file);
CREATE INDEX repeated ON documents (kept) WHERE kept IS NOT NULL;
CREATE TABLE records (number INTEGER PRIMARY KEY, record BLOB NOT NULL, cuts BLOB NOT NULL);
CREATE TABLE notices (identifier TEXT PRIMARY KEY, notice TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE organisations (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE sketches (number INTEGER PRIMARY KEY, bands BLOB NOT NULL);
CREATE TABLE files (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,   -- source and name of the file in it
    stamp TEXT NOT NULL,         -- "" until it was read to its end
    report TEXT NOT NULL
);
-- A notice holds for the document that it names and for the one that this repeats.
CREATE VIEW named AS SELECT number, kept FROM documents WHERE
    id IN (SELECT identifier FROM notices)
    OR pmid IN (SELECT identifier FROM notices)
    OR doi IN (SELECT identifier FROM notices);
CREATE VIEW live AS SELECT * FROM documents WHERE standing = 0
    AND id NOT IN (SELECT identifier FROM notices)
    AND pmid NOT IN (SELECT identifier FROM notices)
    AND doi NOT IN (SELECT identifier FROM notices)
    AND NOT EXISTS (SELECT 1 FROM named WHERE named.kept = documents.number);
INSERT INTO meta VALUES ('generation', '0');
INSERT INTO organisations VALUES (0, '');
INSERT INTO files VALUES (0, '', '', '{}');
