#!/bin/sh
# The page's idempotency example; trust comes from CURL_CA_BUNDLE.
curl -X POST "${MSGINE_ORIGIN:-https://api.msgine.net}/api/v1/messages/sms" \
  -H "Authorization: Bearer $MSGINE_TOKEN" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: unique-key-12345" \
  -d '{
    "to": "+256701234567",
    "message": "Hello from MsGine!"
  }'
