"""What Redis does in one step to let calls in that ask the same, and afterwards. The rules are those of `limits.py`.

A bucket is a string of two doubles: its level, and when that was, in microseconds of Redis' clock. The slots of a
limit are a sorted set: call ids by the end of their lease in ms. A limit's window in seconds tells which of both its
key holds: 0 for slots. All keys of a call have one hash tag, so that one node of a Redis Cluster holds them.

Calls are let in one after the other, each by what those before it left. What they take is written down at the end, for
all of them together: a command of a script costs Redis more than what it does.
"""

from gateway.core.store.budget_scripts import ASK_BUDGETS, HOLD, KEEP_HOLDS, LOOK_AT_BUDGETS
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
local lease, own_from, own_size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local count, candidates = tonumber(ARGV[4]), tonumber(ARGV[5])
local lease_ends = string.format('%.0f', now + lease)
local total, first = count, 5 + candidates
for i = 6, first do total = total + ARGV[i] end
-- The last key first: where budgets are asked, since when Redis has its data.
local state = call('MGET', KEYS[#KEYS], unpack(KEYS, 1, total))
-- By limit; and by key, since candidates may share a provider: how full it is, and what is to be written down.
local amounts, windows, costs = {}, {}, {}
local levels, taken, entered = {}, {}, {}
for k = 1, total do
  local at = first + 3 * k
  local amount, window = tonumber(ARGV[at - 2]), tonumber(ARGV[at - 1])
  amounts[k], windows[k], costs[k] = amount, window, tonumber(ARGV[at])
  if window > 0 then levels[KEYS[k]] = level_of(state[k + 1], amount, window) end
end

-- Of limits i to j the longest wait in microseconds until there is room, and whose it is. What is the call's own stands
-- at `own` and behind it.
local function longest(i, j, own, id)
  local longest_wait, by = 0, 0
  for k = i, j do
    local key, amount, window, cost, wait = KEYS[k], amounts[k], windows[k], costs[k], 0
    if window > 0 then
      if cost < 0 then cost = tonumber(ARGV[own - 1 - cost]) end
      local over = levels[key] + cost - amount
      if over > tolerance then
        wait = (cost > amount or amount <= 0) and never or math.ceil(over * window * 1000000 / amount)
      end
    else
      local running = levels[key] or call('ZCARD', key)
      if running >= amount then
        -- Only a full limit has to know which of its calls are dead, and whether this one runs already.
        call('ZREMRANGEBYSCORE', key, '-inf', now)
        running = call('ZCARD', key) + (entered[key] and #entered[key] / 2 or 0)
        if running >= amount and not call('ZSCORE', key, id) then wait = soon end
      end
      levels[key] = running
    end
    if wait > longest_wait then longest_wait, by = wait, k end
  end
  return longest_wait, by
end

local function take(i, j, own, id)
  for k = i, j do
    local key, cost = KEYS[k], costs[k]
    if windows[k] == 0 then
      local ids = entered[key] or {}
      local n = #ids
      ids[n + 1], ids[n + 2] = lease_ends, id
      entered[key], levels[key] = ids, levels[key] + 1
    else
      if cost < 0 then cost = tonumber(ARGV[own - 1 - cost]) end
      if cost > 0 then levels[key], taken[key] = levels[key] + cost, k end
    end
  end
end

-- The answer's end: of each of the caller's limits that has a window what remains, and the microseconds until
-- all of it does.
local function answer(said)
  local n = #said
  for i = 1, count do
    local amount, window = amounts[i], windows[i]
    if window > 0 then
      local level = levels[KEYS[i]]
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

_JUDGE = """
local function let_in(own, id, number)
  local wait, by = longest(1, count, own, id)
  if by > 0 then return refuse('limit', by, wait) end
  local chosen, from, to, start, shortest = 0, 1, 0, count, never
  for candidate = 1, candidates do
    local stop = start + ARGV[5 + candidate]
    wait, by = longest(start + 1, stop, own, id)
    if by == 0 then
      chosen, from, to = candidate, start + 1, stop
      break
    end
    shortest, start = math.min(shortest, wait), stop
  end
  if candidates > 0 and chosen == 0 then return refuse('candidates', 0, shortest) end
"""

_TAKE = """
  take(1, count, own, id)
  take(from, to, own, id)
  local said = answer({1, chosen})
"""

_EACH = """
  return said
end

local said = {}
for own = own_from, #ARGV, own_size do
  local number = #said + 1
  said[number] = let_in(own, ARGV[own + own_size - 1], number)
end
for key, ids in pairs(entered) do
  call('ZADD', key, unpack(ids))
  call('PEXPIRE', key, lease)
end
for key, k in pairs(taken) do keep_level(key, levels[key], amounts[k], ARGV[first + 3 * k - 1]) end
"""

# KEYS: the caller's limits, the quotas of each candidate, of each budget's subject `money` and `held`; and where there
# are budgets, since when Redis has its data.
# ARGV: first what is the same for all these calls: lease ms, where what is their own begins, how many arguments each
# has of that, how many limits of the caller's, how many candidates, how many quotas each of those has; then for each
# limit and quota its amount, window in s, and what a call takes of it (-1: the first of its own arguments, -2 the
# second); then for each budget how many windows it has, and of each its field, start and amount. Then for each call
# what it takes; where there are budgets, for each what is to be held and what the call may cost at most, and since when
# Redis had its data, as far as this process knows; last its id.
# Answers for each call {1, candidate from 1 (0: none was asked for), standings, what each budget holds, since when
# there is data}, or {0, reason, number of the limit or budget from 1, wait in microseconds (-1: for ever), number of
# the budget's window from 1, standings}. Of `lost` the number is since when there is data.
ADMIT = Script(
    CLOCK
    + BUCKETS
    + _LIMITS
    + LOOK_AT_BUDGETS
    + _JUDGE
    + ASK_BUDGETS
    + _TAKE
    + HOLD
    + _EACH
    + KEEP_HOLDS
    + "return said"
)
# The same where there are no budgets, as far as it goes without them.
ADMIT_UNBUDGETED = Script(CLOCK + BUCKETS + _LIMITS + _JUDGE + _TAKE + _EACH + "return said")

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
