# What the scripts here share: speaking to the sandbox with curl, and expecting things of it.
set -euo pipefail

# api METHOD PATH [curl's arguments]
api() {
  curl -sS -X "$1" "$MSGINE_ORIGIN$2" -H "Authorization: Bearer $MSGINE_TOKEN" -H "Content-Type: application/json" "${@:3}"
}

# total PATH: how many a list has
total() { api GET "$1" | grep -o '"total":[0-9]*' | cut -d: -f2; }

# field NAME: the first text of that name in the JSON that is read
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d'"' -f4; }

# expect WHAT IS SHOULD-BE
expect() {
  [ "$2" = "$3" ] || { echo "$1: $2 instead of $3" >&2; exit 1; }
  echo "$1: $2"
}
