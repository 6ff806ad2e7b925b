# Sourced: start_sink starts Postfix's smtp-sink on a free port ($SINK_PORT),
# which counts or dumps what it gets.
#   start_sink [OPTION…]
start_sink() {
  SINK_PORT=$(free_port)
  local user=()
  ((EUID == 0)) && user=(-u nobody)
  # smtp-sink stands in postfix's own folder of programs on some systems.
  PATH=$PATH:/usr/sbin:/usr/lib/postfix/sbin smtp-sink "${user[@]}" "$@" \
    "127.0.0.1:$SINK_PORT" 2000 >"$T/sink.log" 2>&1 &
  background+=($!)
  wait_until bash -c "exec 3<>/dev/tcp/127.0.0.1/$SINK_PORT"
}
