-- Standard terms for what was stored under names of our own; nothing else changes.
ALTER TABLE facts RENAME TO metadata;

-- A message's number within its account and channel.
ALTER TABLE messages RENAME COLUMN place TO sequence;
DROP INDEX messages_by_place;
CREATE UNIQUE INDEX messages_by_sequence ON messages (account, channel, sequence);

ALTER TABLE notices RENAME TO webhook_events;
ALTER TABLE webhook_events RENAME COLUMN telling TO mode;
ALTER TABLE attempts RENAME COLUMN notice TO webhook_event;
UPDATE webhook_events SET state = 'succeeded_once' WHERE state = 'heard_once';
DROP INDEX notices_by_account;
DROP INDEX notices_held;
CREATE INDEX webhook_events_by_account ON webhook_events (account);
CREATE INDEX webhook_events_held ON webhook_events (message) WHERE state = 'held';

-- The mode of a fault of webhooks is in the JSON of its effect.
UPDATE faults
SET effect = json_remove(json_set(effect, '$.mode', json_extract(effect, '$.telling')), '$.telling')
WHERE json_type(effect, '$.telling') IS NOT NULL;
