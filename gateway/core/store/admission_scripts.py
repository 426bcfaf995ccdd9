"""What Redis does in one step to let a call in, and afterwards. The rules are those of `limits.py`.

A bucket is a string of two doubles: its level, and when that was, in microseconds of Redis' clock. The slots of a
limit are a sorted set: call ids by the end of their lease in ms. A limit's window in seconds tells which of both its
key holds: 0 for slots. All keys of a call have one hash tag, so that one node of a Redis Cluster holds them.
"""

from gateway.core.store.budget_scripts import ASK_BUDGETS
from gateway.core.store.script import CLOCK, Script

BUCKETS = """
local us = clock[1] * 1000000 + clock[2]
local function level_of(bucket, amount, window)
  if not bucket then return 0 end
  local level, at = struct.unpack('dd', bucket)
  level = level - (us - at) * amount / (window * 1000000)
  return level > 0 and level or 0
end
-- `window` as the text that it came as: to write numbers down is what commands of scripts take longest for.
local function keep_level(key, level, amount, window)
  -- No shorter than the window: a lower amount drains more slowly.
  local kept = window
  if level > amount then kept = string.format('%.0f', math.ceil(window * level / math.max(amount, 1))) end
  redis.call('SET', key, struct.pack('dd', level, us), 'EX', kept)
end
"""

_LIMITS = """
local call = redis.call
local tolerance, soon, never = 0.000001, 1000000, math.huge
local call_id, lease = ARGV[1], ARGV[2]
local lease_ends = string.format('%.0f', now + lease)
local count, candidates = tonumber(ARGV[3]), tonumber(ARGV[4])
local total, first = count, 4 + candidates
for i = 5, first do total = total + ARGV[i] end
local amounts, windows, costs, levels = {}, {}, {}, {}
-- The last key first: where budgets are asked, since when Redis has its data.
local state = call('MGET', KEYS[#KEYS], unpack(KEYS, 1, total))

-- Of limits i to j the longest wait in microseconds until there is room, and whose it is.
local function longest(i, j)
  local longest_wait, by = 0, 0
  for k = i, j do
    local at, wait = first + 3 * k, 0
    local amount, window, cost = tonumber(ARGV[at - 2]), tonumber(ARGV[at - 1]), tonumber(ARGV[at])
    amounts[k], windows[k], costs[k] = amount, window, cost
    if window > 0 then
      local level = level_of(state[k + 1], amount, window)
      levels[k] = level
      local over = level + cost - amount
      if over > tolerance then
        wait = (cost > amount or amount <= 0) and never or math.ceil(over * window * 1000000 / amount)
      end
    elseif call('ZCARD', KEYS[k]) >= amount then
      -- Only a full limit has to know which of its calls are dead, and whether this one runs already.
      call('ZREMRANGEBYSCORE', KEYS[k], '-inf', now)
      if call('ZCARD', KEYS[k]) >= amount and not call('ZSCORE', KEYS[k], call_id) then wait = soon end
    end
    if wait > longest_wait then longest_wait, by = wait, k end
  end
  return longest_wait, by
end

local function take(i, j)
  for k = i, j do
    if windows[k] == 0 then
      call('ZADD', KEYS[k], lease_ends, call_id)
      call('PEXPIRE', KEYS[k], lease)
    elseif costs[k] > 0 then
      levels[k] = levels[k] + costs[k]
      keep_level(KEYS[k], levels[k], amounts[k], ARGV[first + 3 * k - 1])
    end
  end
end

-- The answer's end: of each of the caller's limits that has a window what remains, and the microseconds until
-- all of it does.
local function answer(said)
  local n = #said
  for i = 1, count do
    local amount, window, level = amounts[i], windows[i], levels[i]
    if window > 0 then
      said[n + 1] = math.max(0, math.floor(amount - level + tolerance))
      said[n + 2] = math.ceil((amount > 0 and level / amount or 1) * window * 1000000)
      n = n + 2
    end
  end
  return said
end
local function refuse(reason, by, wait, window)
  return answer({0, reason, by, wait == never and -1 or wait, window or 0})
end
"""

_CHOOSE = """
local wait, by = longest(1, count)
if by > 0 then return refuse('limit', by, wait) end
local chosen, from, to, shortest = 0, 1, 0, never
local start = count
for candidate = 1, candidates do
  local stop = start + ARGV[4 + candidate]
  wait, by = longest(start + 1, stop)
  if by == 0 then
    chosen, from, to = candidate, start + 1, stop
    break
  end
  shortest, start = math.min(shortest, wait), stop
end
if candidates > 0 and chosen == 0 then return refuse('candidates', 0, shortest) end
"""

_TAKE = """
take(1, count)
take(from, to)
local said = answer({1, chosen})
"""

_ANSWER = """
for b = 1, budgets do said[#said + 1] = holds[b] end
if budgets > 0 then said[#said + 1] = born end
return said
"""

# KEYS: the caller's limits, the quotas of each candidate, of each budget's subject `money` and `held`; and where there
# are budgets, since when Redis has its data.
# ARGV: call id, lease ms, how many limits of the caller's, how many candidates, how many quotas each of those has; then
# for each limit and quota its amount, window in s, and what the call takes of it; then for each budget what is to be
# held, what the call may cost at most, how many windows it has, and of each its field, start and amount; last since
# when Redis had its data, as far as this process knows.
# Answers {1, candidate from 1 (0: none was asked for), standings, what each budget holds, since when there is data}, or
# {0, reason, number of the limit or budget from 1, wait in microseconds (-1: for ever), number of the budget's window
# from 1, standings}. Of `lost` the number is since when there is data.
ADMIT = Script(CLOCK + BUCKETS + _LIMITS + _CHOOSE + ASK_BUDGETS + _TAKE + _ANSWER)
# The same where there are no budgets, as far as it goes without them.
ADMIT_UNBUDGETED = Script(CLOCK + BUCKETS + _LIMITS + _CHOOSE + _TAKE + "return said")

# KEYS: buckets. ARGV: for each its amount, window in s, and what is taken (below zero: given back).
CORRECT = Script(
    CLOCK
    + BUCKETS
    + """
for i, key in ipairs(KEYS) do
  local amount, window, taken = tonumber(ARGV[3 * i - 2]), ARGV[3 * i - 1], tonumber(ARGV[3 * i])
  local level = math.max(0, level_of(redis.call('GET', key), amount, window) + taken)
  keep_level(key, level, amount, window)
end
"""
)

# KEYS: the slots of one limit. ARGV: lease ms, then the ids of calls that still run. Calls that are missing
# are entered again, so that the limit heals after a loss of data.
RENEW = Script(
    CLOCK
    + """
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)
