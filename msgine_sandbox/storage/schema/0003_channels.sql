-- What the Developers API adds: other channels, scheduled messages, and prices of its own.
ALTER TABLE messages ADD COLUMN title TEXT;
ALTER TABLE messages ADD COLUMN parts TEXT;              -- JSON, of channels that have more
ALTER TABLE messages ADD COLUMN scheduled_at INTEGER;
ALTER TABLE messages ADD COLUMN developer_micros INTEGER NOT NULL DEFAULT 30000000;
ALTER TABLE accounts ADD COLUMN developer_prices TEXT NOT NULL DEFAULT '{}';

-- For the inbox, which has all channels. Every index ends in the row identifier: newest first.
CREATE INDEX messages_by_account ON messages (account);

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

-- Count the messages that are there already.
INSERT INTO tallies
SELECT account, created_at / 86400000000, channel,
       sum(sent), sum(delivered), sum(failed), 0, sum(segments * recipients * developer_micros)
FROM messages JOIN (
    SELECT message,
           sum(history LIKE '%sent@%') AS sent,
           sum(status = 'delivered') AS delivered,
           sum(status = 'failed') AS failed,
           count(*) AS recipients
    FROM deliveries GROUP BY message
) ON message = id
GROUP BY 1, 2, 3;
