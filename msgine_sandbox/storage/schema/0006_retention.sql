-- What is needed to delete messages one by one, in short transactions.

-- `size` is about how many bytes a message takes, with its deliveries; `MessageRows.add` has the same
-- sum. It stands before the texts, so that it is read without them.
ALTER TABLE messages RENAME TO old_messages;
CREATE TABLE messages (
    id                INTEGER PRIMARY KEY,
    account           INTEGER NOT NULL,
    channel           TEXT NOT NULL,
    sequence          INTEGER NOT NULL,
    size              INTEGER NOT NULL,
    sender            TEXT NOT NULL,
    text              TEXT NOT NULL,
    encoding          TEXT NOT NULL,
    segments          INTEGER NOT NULL,
    price_micros      INTEGER NOT NULL,
    currency          TEXT NOT NULL,
    callback_url      TEXT,
    request_id        TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    title             TEXT,
    parts             TEXT,
    scheduled_at      INTEGER,
    developer_micros  INTEGER NOT NULL
);
INSERT INTO messages
SELECT id, account, channel, sequence,
       150
           + length(CAST(text AS BLOB))
           + coalesce(length(CAST(title AS BLOB)), 0)
           + coalesce(length(CAST(parts AS BLOB)), 0)
           + 135 * (SELECT count(*) FROM deliveries WHERE message = old_messages.id),
       sender, text, encoding, segments, price_micros, currency, callback_url, request_id,
       created_at, title, parts, scheduled_at, developer_micros
FROM old_messages;
DROP TABLE old_messages;
CREATE UNIQUE INDEX messages_by_sequence ON messages (account, channel, sequence);
CREATE INDEX messages_by_account ON messages (account);

-- One row: how many messages are stored, and the sum of their sizes. Only retention reads it, so it
-- also counts the later messages, before it reads.
CREATE TABLE message_totals (
    count  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    until  INTEGER NOT NULL                  -- messages up to this id are counted
);
INSERT INTO message_totals VALUES (0, 0, 0);

-- How many of each thousand sequence numbers are missing, because their messages were deleted.
CREATE TABLE sequence_gaps (
    account  INTEGER NOT NULL,
    channel  TEXT NOT NULL,
    block    INTEGER NOT NULL,               -- 0 has the numbers 1 to 1000
    missing  INTEGER NOT NULL,
    PRIMARY KEY (account, channel, block)
) WITHOUT ROWID;

CREATE INDEX steps_by_message ON steps (message);
DROP INDEX webhook_events_by_account;
DROP INDEX webhook_events_held;
CREATE INDEX webhook_events_by_message ON webhook_events (message);
