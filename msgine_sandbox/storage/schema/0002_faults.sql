-- What goes wrong on purpose; without an account, for every account.
CREATE TABLE faults (
    id           INTEGER PRIMARY KEY,
    account      INTEGER,
    match        TEXT NOT NULL,              -- JSON
    effect       TEXT NOT NULL,              -- JSON
    times        INTEGER,
    probability  REAL NOT NULL,
    seed         INTEGER NOT NULL,
    hits         INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    magic        INTEGER NOT NULL
);

-- Whether a webhook goes wrong on purpose, and how, is decided when its event happens.
ALTER TABLE notices ADD COLUMN telling TEXT NOT NULL DEFAULT 'plain';
CREATE INDEX notices_held ON notices (message) WHERE state = 'held';
