-- wrk prints its summary as one JSON line, so that no unit has to be guessed from "1.23MB". Times in microseconds.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "bytes": %d, "duration": %d, "errors": %d, "status": %d, "timeouts": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.bytes, summary.duration, e.connect + e.read + e.write, e.status, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
