#!/bin/sh
# The page's pagination example; trust comes from CURL_CA_BUNDLE.
curl "${MSGINE_ORIGIN:-https://api.msgine.net}/api/v1/messages?page=2&limit=50" \
  -H "Authorization: Bearer $MSGINE_TOKEN"
