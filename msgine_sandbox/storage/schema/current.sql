-- The tables of a new database file. An older one is migrated to them by the numbered files, which
-- takes ten times as long; a test holds the two together.

-- A token opens an account. Only its digest is stored, and a hint that may be shown.
CREATE TABLE accounts (
    id                INTEGER PRIMARY KEY,
    token_digest      BLOB NOT NULL UNIQUE,
    token_hint        TEXT NOT NULL,
    magic             TEXT NOT NULL,         -- the magic prefix of the token, or ''
    tier              TEXT NOT NULL,
    per_minute        INTEGER,
    per_second        INTEGER,
    scopes            TEXT NOT NULL,         -- separated by spaces
    sender_id         TEXT NOT NULL,
    price_micros      INTEGER NOT NULL,
    currency          TEXT NOT NULL,
    clock_ahead       INTEGER NOT NULL,      -- microseconds
    clock_frozen      INTEGER,               -- the instant at which it is frozen, or NULL
    endpoints         TEXT NOT NULL,         -- JSON
    developer_prices  TEXT NOT NULL DEFAULT '{}',
    name              TEXT                   -- what people call it
);

-- What concerns the whole sandbox, such as the clock that new accounts start with.
CREATE TABLE metadata (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;

-- `sequence` numbers the messages of an account and channel, from 1. Where messages were deleted,
-- `sequence_gaps` has the number of those missing, so that page N costs what page 1 does.
CREATE TABLE messages (
    id                INTEGER PRIMARY KEY,   -- grows with time, is never used twice
    account           INTEGER NOT NULL,
    channel           TEXT NOT NULL,
    sequence          INTEGER NOT NULL,
    size              INTEGER NOT NULL,      -- about how many bytes; it and what follows up to the
                                             -- texts are read without these
    ends_at           INTEGER NOT NULL,      -- when the last planned status begins
    end_status        TEXT NOT NULL,         -- the status of the message from then on
    created_at        INTEGER NOT NULL,
    recipients        TEXT NOT NULL,         -- one in each line
    timelines         TEXT NOT NULL,         -- JSON: the statuses of each recipient, or of all, with
                                             -- microseconds after `created_at`, those to come too
    sender            TEXT NOT NULL,
    text              TEXT NOT NULL,
    encoding          TEXT NOT NULL,
    segments          INTEGER NOT NULL,
    price_micros      INTEGER NOT NULL,
    currency          TEXT NOT NULL,
    callback_url      TEXT,
    request_id        TEXT NOT NULL,
    title             TEXT,
    parts             TEXT,                  -- JSON, of channels that have more
    scheduled_at      INTEGER,
    developer_micros  INTEGER NOT NULL,
    traceparent       TEXT                   -- as in W3C Trace Context; NULL where none was sent
);
CREATE UNIQUE INDEX messages_by_sequence ON messages (account, channel, sequence);
-- For the inbox, which has all channels. Every index ends in the row identifier: newest first.
CREATE INDEX messages_by_account ON messages (account);
-- For messages of which something is still to come.
CREATE INDEX messages_by_end ON messages (account, ends_at);
-- For searches; most are delivered, and found without it.
CREATE INDEX messages_by_status ON messages (account, end_status) WHERE end_status <> 'delivered';

-- How many of each thousand sequence numbers are missing.
CREATE TABLE sequence_gaps (
    account  INTEGER NOT NULL,
    channel  TEXT NOT NULL,
    block    INTEGER NOT NULL,               -- 0 has the numbers 1 to 1000
    missing  INTEGER NOT NULL,
    PRIMARY KEY (account, channel, block)
) WITHOUT ROWID;

-- One row: how many messages are stored, and the sum of their sizes. Only retention reads it, so it
-- also counts the later messages, before it reads.
CREATE TABLE message_totals (
    count  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    until  INTEGER NOT NULL                  -- messages up to this id are counted
);
INSERT INTO message_totals VALUES (0, 0, 0);

-- What is still to be done, in the order in which it is performed: webhooks to be sent, and statuses
-- that somebody is to be told of. Most statuses have no step.
CREATE TABLE steps (
    account   INTEGER NOT NULL,
    lane      INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    id        INTEGER NOT NULL,
    message   INTEGER NOT NULL,
    subject   INTEGER NOT NULL,              -- a recipient's position, or the webhook event
    detail    TEXT NOT NULL,
    PRIMARY KEY (account, lane, due, id)
) WITHOUT ROWID;
CREATE INDEX steps_by_message ON steps (message);

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

CREATE TABLE webhook_events (
    id        INTEGER PRIMARY KEY,
    account   INTEGER NOT NULL,
    message   INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    event     TEXT NOT NULL,
    url       TEXT NOT NULL,
    at        INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    state     TEXT NOT NULL,
    -- Whether it goes wrong on purpose, and how, is decided when its event happens.
    mode      TEXT NOT NULL DEFAULT 'plain'
);
CREATE INDEX webhook_events_by_message ON webhook_events (message);

CREATE TABLE attempts (
    id             INTEGER PRIMARY KEY,
    account        INTEGER NOT NULL,
    webhook_event  INTEGER NOT NULL,
    message        INTEGER NOT NULL,
    event          TEXT NOT NULL,
    url            TEXT NOT NULL,
    number         INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    status         INTEGER,
    duration_ms    REAL NOT NULL,
    error          TEXT,
    request        TEXT NOT NULL,            -- JSON
    response       TEXT                      -- JSON
);
CREATE INDEX attempts_by_account ON attempts (account, id);
CREATE INDEX attempts_by_message ON attempts (message, id);

-- How many attempts an account has and how many bytes they take, so that a bound on them costs the
-- same at a hundred thousand as at ten. Account 0 stands for all accounts.
CREATE TABLE attempt_totals (
    account  INTEGER PRIMARY KEY,
    entries  INTEGER NOT NULL,
    size     INTEGER NOT NULL
);

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
-- At each send to a magic recipient, its fault is looked up.
CREATE INDEX faults_by_match ON faults (account, match) WHERE magic;

CREATE TABLE devices (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL,
    token       TEXT NOT NULL,
    platform    TEXT NOT NULL,
    active      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (account, token)
);

-- One row a day, so that analytics costs the same at a million messages as at ten.
CREATE TABLE tallies (
    account    INTEGER NOT NULL,
    day        INTEGER NOT NULL,             -- since 1970-01-01, in UTC
    channel    TEXT NOT NULL,
    sent       INTEGER NOT NULL,
    delivered  INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    partial    INTEGER NOT NULL,
    cost       INTEGER NOT NULL,             -- millionths
    PRIMARY KEY (account, day, channel)
) WITHOUT ROWID;
