#!/usr/bin/env bash
# A receiver on a bad day, with curl alone: webhooks twice, out of order, lost and late.
# MSGINE_ORIGIN and MSGINE_TOKEN say where and who, MSGINE_HOOKS is a receiver that answers 200.
. "$(dirname "$0")/sandbox.sh"

# Begin anew, with one fault and the receiver; send; let some seconds pass; print the events that the receiver got.
after() {
  api POST /_sandbox/reset >/dev/null
  api POST /_sandbox/clock/freeze >/dev/null
  api PUT /_sandbox/webhooks -o /dev/null -d "{\"endpoints\": [{\"url\": \"$MSGINE_HOOKS\"}]}"
  api POST /_sandbox/faults -o /dev/null -d "$1"
  api POST /api/v1/messages/sms -o /dev/null -d '{"to": "+256701234567", "message": "Your order is on its way"}'
  api POST /_sandbox/clock/advance -o /dev/null -d "{\"seconds\": $2}"
  api GET /_sandbox/webhooks/attempts | grep -oE '"event":"[a-z.]*"|"status":(200|null)' | paste -d' ' - - |
    grep 200 | grep -oE 'sent|delivered|failed' | tac | paste -sd' '
}

expect "twice" "$(after '{"effect": {"webhook": "duplicate"}, "times": 1}' 10)" "sent sent delivered"
expect "out of order" "$(after '{"effect": {"webhook": "reorder"}}' 10)" "delivered sent"
expect "lost" "$(after '{"effect": {"webhook": "lose"}, "match": {"event": "message.sent"}}' 10)" "delivered"
late='{"effect": {"webhook": "delay", "delay": 86400}, "match": {"event": "message.delivered"}}'
expect "a day late, after a minute" "$(after "$late" 60)" "sent"
expect "a day late, after a day and a minute" "$(after "$late" 86460)" "sent delivered"
