"""What Redis does for the store in one step, by its own clock: those of processes need not agree."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Script:
    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


_NOW_MS = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""

# KEYS: for each limit its log of request times, newest first, and its slots (call id by end of lease).
# ARGV: call id, window ms, lease ms; then for each limit its requests a minute and concurrency, -1 for none.
# The log never holds more times than the limit allows, so that the window is exact and not one of buckets.
# Answers {1, limit, remaining, reset ms}, or {0, index of the limit from 0, kind, retry ms}.
ADMIT = Script(
    _NOW_MS
    + """
local window, lease = tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, #KEYS, 2 do
  local rate, slots = tonumber(ARGV[3 + i]), tonumber(ARGV[4 + i])
  if rate >= 0 then
    local oldest = redis.call('LINDEX', KEYS[i], -1)
    while oldest and tonumber(oldest) <= now - window do
      -- A burst leaves as it came: many at once.
      local far = redis.call('LINDEX', KEYS[i], -256)
      redis.call('RPOP', KEYS[i], far and tonumber(far) <= now - window and 256 or 1)
      oldest = redis.call('LINDEX', KEYS[i], -1)
    end
    local used = oldest and redis.call('LLEN', KEYS[i]) or 0
    if used >= rate then
      local frees = redis.call('LINDEX', KEYS[i], rate - used - 1)
      return {0, (i - 1) / 2, 'requests', frees and frees + window - now or window}
    end
  end
  if slots >= 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', now)
    if redis.call('ZCARD', KEYS[i + 1]) >= slots then
      return {0, (i - 1) / 2, 'concurrency', 0}
    end
  end
end
local tightest, limit, reset = -1, -1, -1
for i = 1, #KEYS, 2 do
  local rate, slots = tonumber(ARGV[3 + i]), tonumber(ARGV[4 + i])
  if rate >= 0 then
    local left = rate - redis.call('LPUSH', KEYS[i], now)
    redis.call('PEXPIRE', KEYS[i], window)
    if tightest < 0 or left < tightest then
      tightest, limit = left, rate
      reset = redis.call('LINDEX', KEYS[i], -1) + window - now
    end
  end
  if slots >= 0 then
    redis.call('ZADD', KEYS[i + 1], now + lease, ARGV[1])
    redis.call('PEXPIRE', KEYS[i + 1], lease)
  end
end
return {1, limit, tightest, reset}
"""
)

# KEYS: tries of one subject, and that it has to wait. ARGV: free tries, longest wait ms, how long all is kept, ms.
# Answers 0, or the ms to wait first. The rule is that of Tries and Patience in tries.py.
TAKE_TRY = Script(
    """
local left = redis.call('PTTL', KEYS[2])
if left > 0 then return left end
local beyond = redis.call('INCR', KEYS[1]) - tonumber(ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if beyond > 0 then
  redis.call('SET', KEYS[2], 1, 'PX', math.min(tonumber(ARGV[2]), 1000 * 2 ^ math.min(beyond, 32)))
end
return 0
"""
)

# KEYS: the slots of one limit. ARGV: lease ms, then the ids of calls that still run. Calls that are missing
# are entered again, so that the limit heals after a loss of data.
RENEW = Script(
    _NOW_MS
    + """
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)

# KEYS: jobs, epoch. ARGV: call id, inbox, ms in which it may start, body, most jobs kept. Where a loss of data took
# the epoch, the call id, which is as good as random, becomes the next one. Answers {entry id, epoch}.
SEND = Script(
    _NOW_MS
    + """
local epoch = redis.call('GET', KEYS[2])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[2], epoch)
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*',
  'c', ARGV[1], 'i', ARGV[2], 's', string.format('%.3f', (now + ARGV[3]) / 1000), 'b', ARGV[4], 'e', epoch)
return {id, epoch}
"""
)

# KEYS: owner, epoch, jobs. ARGV: the entry's epoch, token, owner's life in ms, group, entry id, inbox, frame, start-by.
# The token names one wish to start: whoever asks again with it, because an answer was lost, hears the same.
START = Script(
    _NOW_MS
    + """
if redis.call('GET', KEYS[1]) == ARGV[2] then return 1 end
local is_ours = now <= tonumber(ARGV[8]) and redis.call('GET', KEYS[2]) == ARGV[1]
  and redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[3])
redis.pcall('XACK', KEYS[3], ARGV[4], ARGV[5])
redis.call('XDEL', KEYS[3], ARGV[5])
if not is_ours then return 0 end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
"""
)

# KEYS: owner, epoch, jobs. ARGV: epoch at sending, token, owner's life in ms, group, entry id or ''.
TAKE_BACK = Script(
    """
local owner = redis.call('GET', KEYS[1])
if owner then return owner == ARGV[2] and 'ours' or 'started' end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if ARGV[5] ~= '' then
  redis.pcall('XACK', KEYS[3], ARGV[4], ARGV[5])
  redis.call('XDEL', KEYS[3], ARGV[5])
end
return 'ours'
"""
)

# KEYS: epoch. ARGV: an epoch in case there is none. Answers {epoch, why writing is refused or ''}.
PROBE = Script(
    """
local written = redis.pcall('SET', KEYS[1], ARGV[1], 'NX')
local epoch = redis.call('GET', KEYS[1])
return {epoch or '', type(written) == 'table' and written.err or ''}
"""
)

# KEYS: jobs. ARGV: group, age in ms after which a job is dead, age after which a silent reader is.
# A dead reader's pending entries go with it: they are older than any job that may still start.
SWEEP = Script(
    _NOW_MS
    + """
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - ARGV[2]))
local readers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if readers.err then return end
for _, reader in ipairs(readers) do
  if reader[6] > tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], reader[2])
  end
end
"""
)

ALL = (ADMIT, TAKE_TRY, RENEW, SEND, START, TAKE_BACK, PROBE, SWEEP)
