"""What Redis does for guesses and for the worker lane in one step."""

from gateway.core.store import budget_scripts
from gateway.core.store.admission_scripts import ADMIT, ADMIT_UNBUDGETED, CORRECT, RENEW
from gateway.core.store.ending_script import END_CALLS
from gateway.core.store.script import CLOCK, Script

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

# KEYS: jobs, epoch. ARGV: call id, inbox, ms in which it may start, body, most jobs kept. Where a loss of data took
# the epoch, the call id, which is as good as random, becomes the next one. Answers {entry id, epoch}.
SEND = Script(
    CLOCK
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
    CLOCK
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
    CLOCK
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

ALL = (
    ADMIT,
    ADMIT_UNBUDGETED,
    END_CALLS,
    CORRECT,
    RENEW,
    TAKE_TRY,
    SEND,
    START,
    TAKE_BACK,
    PROBE,
    SWEEP,
    *budget_scripts.ALL,
)
