# count EVENT: how many words "text" has. Fails when there is no text.
count() {
  local text
  text="$(sed -n 's/.*"text"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' <<<"$1")"
  [ -n "$text" ] || return 1
  printf '{"words":%d}' "$(wc -w <<<"$text")"
}
