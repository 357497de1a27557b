#!/usr/bin/env bash
# A client with the official retry policy on a bad day, with curl alone.
# MSGINE_ORIGIN and MSGINE_TOKEN say where and who; it ends with status 0 when all was as expected.
. "$(dirname "$0")/sandbox.sh"

# Send to a number, and try again up to three times, after 1, 2 and 4 seconds; prints the last status, 000 for none.
send() {
  local to=$1 status; shift
  for wait in 1 2 4 ""; do
    status=$(api POST /api/v1/messages/sms -o /dev/null -w '%{http_code}' "$@" \
      -d "{\"to\": \"$to\", \"message\": \"Your code is 493817\"}" 2>/dev/null) || true
    case $status in
      000|408|429|500|502|503|504) [ -z "$wait" ] || api POST /_sandbox/clock/advance -o /dev/null -d "{\"seconds\": $wait}" ;;
      *) break ;;
    esac
  done
  echo "$status"
}

messages() { total "/_sandbox/messages?to=$1"; }
warned() { total "/_sandbox/requests?warning=$1"; }

expect "503 twice, then" "$(send +256700005032)" 201
expect "messages to it" "$(messages +256700005032)" 1
expect "503 every time" "$(send +256700005030)" 503
expect "messages to it" "$(messages +256700005030)" 0
api DELETE /_sandbox/requests >/dev/null

expect "answers lost, without a key" "$(send +256700004990)" 000
expect "messages to it" "$(messages +256700004990)" 4
expect "warnings of that" "$(warned post-retried-without-idempotency-key)" 3
api POST /_sandbox/reset >/dev/null

expect "answers lost, with a key" "$(send +256700004990 -H 'Idempotency-Key: login-493817')" 201
expect "messages to it" "$(messages +256700004990)" 1
expect "warnings of that" "$(warned post-retried-without-idempotency-key)" 0

api POST /_sandbox/faults -o /dev/null -d '{"effect": {"status": 429, "retryAfter": 30}, "times": 1}'
expect "429 that asks for 30 s, and a client that waits for 1" "$(send +256701234567)" 201
expect "warnings of that" "$(warned retried-too-early)" 1
