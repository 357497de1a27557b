#!/bin/sh
# One curl with several URLs, which keeps its connection; --rate sets the time from send to send.
# A process is one connection.
set -eu

rate=$(awk -v shortest="$SHORTEST_PAUSE" -v longest="$LONGEST_PAUSE" -v seed="$$" \
  'BEGIN { srand(seed); printf "%d/d", 86400 / (shortest + rand() * (longest - shortest)) }')
for _ in $(seq "$SENDS"); do
  set -- "$@" --output /dev/null "$BASE_URL/messages/sms"
done
# A transfer that failed has the status 000; curl itself then ends with another status than 0.
curl --silent --show-error --rate "$rate" --write-out '%{http_code}\n' \
  --header "Authorization: Bearer $TOKEN" --header 'Content-Type: application/json' \
  --data '{"to": "+256701234567", "message": "Hello from curl"}' "$@" || true
