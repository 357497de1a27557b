#!/usr/bin/env bash
# A login code by SMS, with curl alone: it arrives, it is read out of the text, and it is old a day later.
# MSGINE_ORIGIN and MSGINE_TOKEN say where and who; it ends with status 0 when all was as expected.
. "$(dirname "$0")/sandbox.sh"

api POST /_sandbox/clock/freeze >/dev/null
api POST /api/v1/messages/sms -H 'Idempotency-Key: login-1' \
  -d '{"to": "+256701234567", "message": "Your code is 493817. Webale!", "from": "Shop"}' >/dev/null
expect "the code" "$(api GET "/_sandbox/messages/wait?to=+256701234567&field=code&timeout=5")" 493817
sms=$(api GET "/_sandbox/messages/wait?to=+256701234567&contains=code&timeout=5")
expect "the sender" "$(field from <<<"$sms")" Shop
expect "its status" "$(field status <<<"$sms")" pending

api POST /_sandbox/clock/advance -d '{"until": "idle"}' >/dev/null
id=$(field id <<<"$sms")
expect "its status in the end" "$(api GET "/api/v1/messages/$id" | field status)" delivered

replay() {
  api POST /api/v1/messages/sms -H 'Idempotency-Key: login-1' -d '{"to": "+256701234567", "message": "Your code is 493817. Webale!", "from": "Shop"}' | field id
}
expect "the same key again" "$(replay)" "$id"
api POST /_sandbox/clock/advance -d '{"seconds": 86400}' >/dev/null
[ "$(replay)" != "$id" ] || { echo 'A key was kept for more than a day' >&2; exit 1; }
expect "messages in all" "$(total /api/v1/messages)" 2
