#!/bin/sh
# The page's webhook example; trust comes from CURL_CA_BUNDLE.
curl -X POST "${MSGINE_ORIGIN:-https://api.msgine.net}/api/v1/messages/sms" \
  -H "Authorization: Bearer $MSGINE_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "to": "+256701234567",
    "message": "Your code is 123456",
    "callbackUrl": "https://your-app.com/webhooks/msgine"
  }'
