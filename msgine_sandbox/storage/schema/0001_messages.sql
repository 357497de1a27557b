-- A token opens an account. Only its digest is stored, and a hint that may be shown.
CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    token_digest  BLOB NOT NULL UNIQUE,
    token_hint    TEXT NOT NULL,
    magic         TEXT NOT NULL,             -- the magic prefix of the token, or ''
    tier          TEXT NOT NULL,
    per_minute    INTEGER,
    per_second    INTEGER,
    scopes        TEXT NOT NULL,             -- separated by spaces
    sender_id     TEXT NOT NULL,
    price_micros  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    clock_ahead   INTEGER NOT NULL,          -- microseconds
    clock_frozen  INTEGER,                   -- the instant at which it is frozen, or NULL
    endpoints     TEXT NOT NULL              -- JSON
);

-- What concerns the whole sandbox, such as the clock that new accounts start with.
CREATE TABLE facts (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;

-- `place` numbers an account's messages from 1 without gaps, so that page N costs what page 1 does.
CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,       -- grows with time, is never used twice
    account       INTEGER NOT NULL,
    channel       TEXT NOT NULL,
    place         INTEGER NOT NULL,
    sender        TEXT NOT NULL,
    text          TEXT NOT NULL,
    encoding      TEXT NOT NULL,
    segments      INTEGER NOT NULL,
    price_micros  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    callback_url  TEXT,
    request_id    TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);
CREATE UNIQUE INDEX messages_by_place ON messages (account, channel, place);

CREATE TABLE deliveries (
    message    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    recipient  TEXT NOT NULL,
    status     TEXT NOT NULL,
    history    TEXT NOT NULL,                -- 'pending@1700000000000000 sent@…'
    reason     TEXT,
    PRIMARY KEY (message, position)
) WITHOUT ROWID;

-- What is still to happen, in the order in which it is performed.
CREATE TABLE steps (
    account   INTEGER NOT NULL,
    lane      INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    id        INTEGER NOT NULL,
    message   INTEGER NOT NULL,
    subject   INTEGER NOT NULL,              -- the recipient's position, or the webhook event
    detail    TEXT NOT NULL,
    PRIMARY KEY (account, lane, due, id)
) WITHOUT ROWID;

-- With row identifiers, so that answers are appended and only the small index is written at random.
CREATE TABLE idempotency (
    account      INTEGER NOT NULL,
    key          TEXT NOT NULL,
    first_used   INTEGER NOT NULL,
    fingerprint  BLOB NOT NULL,
    status       INTEGER NOT NULL,
    body         BLOB NOT NULL,
    UNIQUE (account, key)
);

CREATE TABLE notices (
    id        INTEGER PRIMARY KEY,
    account   INTEGER NOT NULL,
    message   INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    event     TEXT NOT NULL,
    url       TEXT NOT NULL,
    at        INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    state     TEXT NOT NULL
);
CREATE INDEX notices_by_account ON notices (account);

CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY,
    account      INTEGER NOT NULL,
    notice       INTEGER NOT NULL,
    message      INTEGER NOT NULL,
    event        TEXT NOT NULL,
    url          TEXT NOT NULL,
    number       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    status       INTEGER,
    duration_ms  REAL NOT NULL,
    error        TEXT,
    request      TEXT NOT NULL,              -- JSON
    response     TEXT                        -- JSON
);
CREATE INDEX attempts_by_account ON attempts (account, id);
CREATE INDEX attempts_by_message ON attempts (message, id);
