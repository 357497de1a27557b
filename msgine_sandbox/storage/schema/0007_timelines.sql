-- A message is one row, with its recipients and with the timelines of its deliveries, which have what
-- is still to come, too. A step is there only where somebody is to be told of a status, and one for
-- all deliveries that change at the same time.

ALTER TABLE messages RENAME TO old_messages;
CREATE TABLE messages (
    id                INTEGER PRIMARY KEY,
    account           INTEGER NOT NULL,
    channel           TEXT NOT NULL,
    sequence          INTEGER NOT NULL,
    size              INTEGER NOT NULL,
    ends_at           INTEGER NOT NULL,
    end_status        TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    recipients        TEXT NOT NULL,
    timelines         TEXT NOT NULL,
    sender            TEXT NOT NULL,
    text              TEXT NOT NULL,
    encoding          TEXT NOT NULL,
    segments          INTEGER NOT NULL,
    price_micros      INTEGER NOT NULL,
    currency          TEXT NOT NULL,
    callback_url      TEXT,
    request_id        TEXT NOT NULL,
    title             TEXT,
    parts             TEXT,
    scheduled_at      INTEGER,
    developer_micros  INTEGER NOT NULL
);

-- A planned status counts only where the lifecycle still allows it: one may have been set by hand. A
-- scheduled push has none yet, because whether its devices are registered is looked up when it is due.
CREATE TABLE planned AS
SELECT s.message, s.subject AS position, s.due, s.id,
       CASE WHEN instr(s.detail, ' ') THEN substr(s.detail, 1, instr(s.detail, ' ') - 1)
            ELSE s.detail END AS status,
       CASE WHEN instr(s.detail, ' ') THEN substr(s.detail, instr(s.detail, ' ') + 1) END AS reason
FROM steps s JOIN deliveries d ON d.message = s.message AND d.position = s.subject
WHERE s.lane = 0
  AND instr('queued pending sent delivered failed', d.status)
      < instr('queued pending sent delivered failed', substr(s.detail || ' ', 1, instr(s.detail || ' ', ' ') - 1))
  AND d.status NOT IN ('delivered', 'failed')
  AND (s.detail = 'pending'
       OR s.message NOT IN (SELECT message FROM steps WHERE lane = 0 AND detail = 'sent to a device'));
CREATE INDEX planned_by_delivery ON planned (message, position);

CREATE TABLE timelines AS
SELECT d.message, d.position, d.recipient, (
    SELECT json_group_array(json(entry)) FROM (
        SELECT 0 AS is_planned, key AS place, CASE
            WHEN d.reason IS NOT NULL AND json_extract(value, '$[0]') = 'failed'
            THEN json_array('failed', json_extract(value, '$[1]') - m.created_at, d.reason)
            ELSE json_array(json_extract(value, '$[0]'), json_extract(value, '$[1]') - m.created_at)
            END AS entry
        FROM json_each('[["' || replace(replace(d.history, '@', '",'), ' ', '],["') || ']]')
        UNION ALL
        SELECT 1, row_number() OVER (ORDER BY due, id), CASE
            WHEN reason IS NOT NULL THEN json_array(status, due - m.created_at, reason)
            ELSE json_array(status, due - m.created_at) END
        FROM planned WHERE message = d.message AND position = d.position
        ORDER BY 1, 2
    )) AS timeline
FROM deliveries d JOIN old_messages m ON m.id = d.message;
CREATE INDEX timelines_by_delivery ON timelines (message, position);

-- `size` is about how many bytes a message takes; `MessageRows.add` has the same sum.
INSERT INTO messages
SELECT id, account, channel, sequence, 0, 0, '', created_at,
       (SELECT group_concat(recipient, char(10)) FROM
           (SELECT replace(recipient, char(10), ' ') AS recipient FROM timelines
            WHERE message = old_messages.id ORDER BY position)),
       (SELECT CASE WHEN count(DISTINCT timeline) = 1 THEN json_array(json(min(timeline)))
                    ELSE json_group_array(json(timeline)) END FROM
           (SELECT timeline FROM timelines WHERE message = old_messages.id ORDER BY position)),
       sender, text, encoding, segments, price_micros, currency, callback_url, request_id, title,
       parts, scheduled_at, developer_micros
FROM old_messages;
UPDATE messages SET
    ends_at = created_at + (
        SELECT max(json_extract(value, '$[#-1][1]')) FROM json_each(timelines)),
    end_status = (
        SELECT CASE WHEN min(status) = max(status) THEN min(status)
                    WHEN min(status IN ('delivered', 'failed')) THEN 'delivered'
                    WHEN min(status IN ('sent', 'delivered', 'failed')) THEN 'sent'
                    ELSE 'pending' END
        FROM (SELECT json_extract(value, '$[#-1][0]') AS status FROM json_each(timelines))),
    size = 200
        + length(CAST(text AS BLOB))
        + length(CAST(recipients AS BLOB))
        + length(CAST(timelines AS BLOB))
        + coalesce(length(CAST(title AS BLOB)), 0)
        + coalesce(length(CAST(parts AS BLOB)), 0);
UPDATE message_totals SET
    bytes = (SELECT coalesce(sum(size), 0) FROM messages WHERE id <= message_totals.until);

-- Analytics count what a message will be. Of a push, what is still to come does not change that.
INSERT INTO tallies
SELECT m.account, m.created_at / 86400000000, m.channel, sum(p.status = 'sent'),
       sum(p.status = 'delivered'), sum(p.status = 'failed'), 0, 0
FROM planned p JOIN old_messages m ON m.id = p.message
WHERE m.channel <> 'push'
GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET
    sent = sent + excluded.sent,
    delivered = delivered + excluded.delivered,
    failed = failed + excluded.failed;

DROP TABLE old_messages;
DROP TABLE deliveries;
DROP TABLE planned;
DROP TABLE timelines;
CREATE UNIQUE INDEX messages_by_sequence ON messages (account, channel, sequence);
CREATE INDEX messages_by_account ON messages (account);
CREATE INDEX messages_by_end ON messages (account, ends_at);
CREATE INDEX messages_by_status ON messages (account, end_status) WHERE end_status <> 'delivered';

CREATE TABLE old_steps AS SELECT * FROM steps WHERE lane = 0;
DELETE FROM steps WHERE lane = 0;
INSERT INTO steps
SELECT account, lane, due, min(id), message, 0,
       CASE WHEN max(detail = 'sent to a device') THEN 'send' ELSE '' END
FROM old_steps GROUP BY account, message, due;
DELETE FROM steps WHERE lane = 0 AND detail = '' AND message IN
    (SELECT message FROM steps WHERE detail = 'send');
DROP TABLE old_steps;

