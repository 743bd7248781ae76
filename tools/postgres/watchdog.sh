# `sh watchdog.sh <folder>`: when its stdin ends, because the launching process closed it or is dead, the Postgres
# in the folder is stopped at once and the folder is removed.
cat >/dev/null
lock=$1/data/postmaster.pid
tries=100
again() { [ $((tries -= 1)) -gt 0 ] && sleep 0.1; }

if [ -e "$lock" ]; then
  kill -QUIT "$(head -n 1 "$lock")"
  while [ -e "$lock" ] && again; do :; done
fi
# Something of the launcher's may still be writing for a moment.
until rm -rf "$1" 2>/dev/null || ! again; do :; done
