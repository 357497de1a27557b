-- The trace context that a message was sent with, which its webhooks carry on.
ALTER TABLE messages ADD COLUMN traceparent TEXT;
