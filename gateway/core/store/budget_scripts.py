"""Budgets in Redis: the part of admission that asks them, and what moves money afterwards.

Amounts are whole numbers of 10⁻¹⁰ USD. Redis adds them up exactly (HINCRBY); Lua's own numbers would lose digits above
$900,000, so a script that compares keeps dollars and what is below a dollar apart. For each subject there are

- `money`: a hash of `v`, the version of SQL's state that is installed; `w:<window>`, what was spent in it at that
  version; `q:<quarter>`, the sum of what is owed for calls that started in that quarter of an hour;
- `owed`: a hash of `e:<process>:<seq>`, one settled amount as `quarter:amount` that the installed version does not
  hold; `m:<process>`, the last one of that process that it does hold;
- `held`: a hash of `a:<call>` and `x:<call>`, a hold and the ms in which its lease ends; `*`, the sum of all holds.
"""

from gateway.core.store.budgets import OVERSHOOT
from gateway.core.store.script import CLOCK, Script

TOLD_AGAIN_MS = 2_500
"""Each process looks once a second whether Redis has lost its data, and then tells it what it holds and owes."""

DROP = """
-- What sums of Lua's numbers hold exactly.
local exact = 9000000000000000
local function drop(held, call)
  local amount = redis.call('HGET', held, 'a:' .. call)
  if amount then
    redis.call('HDEL', held, 'a:' .. call, 'x:' .. call)
    redis.call('HINCRBY', held, '*', '-' .. amount)
  end
end
"""

_BORN = """
-- Since when Redis has its data: one that has lost it bears another date.
local function born_at(key)
  local born = redis.call('GET', key)
  if not born then
    born = string.format('%.0f', now)
    redis.call('SET', key, born)
  end
  return born
end
"""

_MONEY = """
-- Dollars, and what is below one: both bear the sign. What a number of Lua's holds exactly is not taken apart.
local function split(text)
  if #text <= 15 then return 0, tonumber(text) end
  local sign, digits = 1, text
  if string.byte(text) == 45 then sign, digits = -1, string.sub(text, 2) end
  return sign * string.sub(digits, 1, -11), sign * string.sub(digits, -10)
end
-- Together they are exact below 2^53, and in the right order above.
local dollar = 10000000000
"""

# Follows what looks at limits: `call`, `first`, `total`, `state`, `lease`, `lease_ends`, `own_from`, `own_size`, `soon`
# and `refuse` are its. Of each budget: what is left in its tightest window, and what is held.
LOOK_AT_BUDGETS = (
    DROP
    + _MONEY
    + """
local budgets, born = {}, state[1]
if not born then
  born = string.format('%.0f', now)
  call('SET', KEYS[#KEYS], born)
end
local unknown, spent
local at = first + 3 * total + 1
for b = 1, math.floor((#KEYS - total) / 2) do
  local each, last = {held = KEYS[total + 2 * b], entries = {}, sum = 0}, at + 3 * ARGV[at]
  local fields = call('HGETALL', KEYS[total + 2 * b - 1])
  local least
  for w = at + 1, last, 3 do
    local window, starts_at, number, is_known = ARGV[w], tonumber(ARGV[w + 1]), (w - at + 2) / 3, false
    local d, r = split(ARGV[w + 2])
    for i = 1, #fields, 2 do
      local name = fields[i]
      -- What was spent in the window, and what is owed of each quarter of an hour in it (which begins with q).
      local is_it = name == window
      if is_it or string.byte(name) == 113 and tonumber(string.sub(name, 3)) >= starts_at then
        local gone_dollars, gone = split(fields[i + 1])
        d, r, is_known = d - gone_dollars, r - gone, is_known or is_it
      end
    end
    local left = d * dollar + r
    if not is_known then unknown = unknown or {b, number} end
    if left <= 0 then spent = spent or {b, number} end
    if not least or left < least then
      least, each.dollars, each.rest, each.tightest, each.amount = left, d, r, number, tonumber(ARGV[w + 2])
    end
  end
  budgets[b], at = each, last + 1
end

local holders = {'*'}
for own = own_from, #ARGV, own_size do holders[#holders + 1] = 'a:' .. ARGV[own + own_size - 1] end
local function look(each)
  each.holds = call('HMGET', each.held, unpack(holders))
  local dollars, rest = split(each.holds[1] or '0')
  each.free_dollars, each.free_rest, each.running = each.dollars - dollars, each.rest - rest - each.sum, nil
end
if not (unknown or spent) then
  for b = 1, #budgets do look(budgets[b]) end
end

-- What is free for the call with that number, and what it holds itself.
local function free_of(each, number)
  local own = each.holds[number + 1]
  local dollars, rest = split(own or '0')
  return (each.free_dollars + dollars) * dollar + each.free_rest + rest, own
end
"""
)

# Of one call, whose own arguments stand at `own`.
ASK_BUDGETS = f"""
  local known = ARGV[own + own_size - 2]
  -- What was held and owed is gone: everybody who lives tells it again within this time.
  if known ~= '' and known ~= born then
    return refuse('lost', tonumber(born), 1000 * math.max(0, {TOLD_AGAIN_MS} - (now - born)))
  end
  if unknown then return refuse('unknown', unknown[1], 0, unknown[2]) end
  if spent then return refuse('spent', spent[1], 0, spent[2]) end
  local held_by, holds, owns = nil, {{}}, {{}}
  local asked = own + own_size - 2 - 2 * #budgets
  for b = 1, #budgets do
    local each, hold, most = budgets[b], ARGV[asked], ARGV[asked + 1]
    local wanted, free = tonumber(hold), 0
    free, owns[b] = free_of(each, number)
    local beyond = tonumber(most) - wanted
    if beyond > 0 then
      -- As hold_for in `budgets.py` has it.
      each.running = each.running or math.floor(call('HLEN', each.held) / 2) + #each.entries / 4
      if free - wanted + each.amount / {OVERSHOOT} < (each.running + 1) * beyond then
        hold, wanted = most, tonumber(most)
      end
    end
    if free < wanted then
      -- Only where holds are in the way does it matter which of them are dead.
      local fields = call('HGETALL', each.held)
      for i = 1, #fields, 2 do
        if string.sub(fields[i], 1, 2) == 'x:' and tonumber(fields[i + 1]) <= now then
          drop(each.held, string.sub(fields[i], 3))
        end
      end
      look(each)
      free, owns[b] = free_of(each, number)
    end
    if free <= 0 and wanted > 0 and not held_by then held_by = {{b, each.tightest}} end
    holds[b] = free < wanted and string.format('%.0f', math.max(0, free)) or hold
    asked = asked + 2
  end
  if held_by then return refuse('held', held_by[1], soon, held_by[2]) end
"""

# Of one that is let in, at the end of its answer `said`.
HOLD = """
  for b = 1, #budgets do
    local each, amount = budgets[b], holds[b]
    if owns[b] then
      drop(each.held, id)
      look(each)
    end
    if amount ~= '0' then
      local entries, n, number = each.entries, #each.entries, tonumber(amount)
      entries[n + 1], entries[n + 2], entries[n + 3], entries[n + 4] = 'a:' .. id, amount, 'x:' .. id, lease_ends
      each.free_rest = each.free_rest - number
      if each.running then each.running = each.running + 1 end
      if each.sum + number > exact then
        call('HINCRBY', each.held, '*', amount)
      else
        each.sum = each.sum + number
      end
    end
    said[#said + 1] = amount
  end
  said[#said + 1] = born
"""

KEEP_HOLDS = """
for b = 1, #budgets do
  local held, entries, sum = budgets[b].held, budgets[b].entries, budgets[b].sum
  if #entries > 0 then
    call('HSET', held, unpack(entries))
    call('HINCRBY', held, '*', #entries == 4 and sum > 0 and entries[2] or string.format('%.0f', sum))
    call('PEXPIRE', held, lease)
  end
end
"""

# KEYS: held of each subject. ARGV: call id, amount. A hold is never lowered, and none is made.
RAISE_HOLDS = Script(
    """
for _, held in ipairs(KEYS) do
  local field = 'a:' .. ARGV[1]
  local before = redis.call('HGET', held, field)
  if before and (#before < #ARGV[2] or #before == #ARGV[2] and before < ARGV[2]) then
    redis.call('HSET', held, field, ARGV[2])
    redis.call('HINCRBY', held, '*', ARGV[2])
    redis.call('HINCRBY', held, '*', '-' .. before)
  end
end
"""
)

# KEYS: held of one subject. ARGV: lease ms; then each call that still runs, and its hold. Those that are missing are
# entered again, as with slots; one that is there may have been raised, and keeps its amount.
RENEW_HOLDS = Script(
    CLOCK
    + """
local held, lease = KEYS[1], ARGV[1]
local lease_ends = string.format('%.0f', now + lease)
for i = 2, #ARGV, 2 do
  if redis.call('HEXISTS', held, 'a:' .. ARGV[i]) == 1 then
    redis.call('HSET', held, 'x:' .. ARGV[i], lease_ends)
  else
    redis.call('HSET', held, 'a:' .. ARGV[i], ARGV[i + 1], 'x:' .. ARGV[i], lease_ends)
    redis.call('HINCRBY', held, '*', ARGV[i + 1])
  end
end
redis.call('PEXPIRE', held, lease)
"""
)

# KEYS: money and owed of one subject. ARGV: version, ms that all is kept, how many windows; each window and what was
# spent in it; each process and its mark.
INSTALL = Script(
    """
local money, owed = KEYS[1], KEYS[2]
local version, kept, last = tonumber(ARGV[1]), ARGV[2], 3 + 2 * ARGV[3]
local installed = tonumber(redis.call('HGET', money, 'v') or -1)
if version < installed then return end
if version > installed then
  local marks = {}
  for i = last + 1, #ARGV, 2 do marks[ARGV[i]] = tonumber(ARGV[i + 1]) end
  local entries = redis.call('HGETALL', owed)
  redis.call('DEL', money)
  redis.call('HSET', money, 'v', ARGV[1])
  for i = 1, #entries, 2 do
    local process, seq = string.match(entries[i], '^e:(.*):(%d+)$')
    local quarter, amount = string.match(entries[i + 1], '^(%d+):(%d+)$')
    if process and tonumber(seq) > (marks[process] or -1) then
      redis.call('HINCRBY', money, 'q:' .. quarter, amount)
    else
      redis.call('HDEL', owed, entries[i])
    end
  end
  for i = last + 1, #ARGV, 2 do redis.call('HSET', owed, 'm:' .. ARGV[i], ARGV[i + 1]) end
end
for i = 4, last, 2 do redis.call('HSET', money, 'w:' .. ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', money, kept)
redis.call('PEXPIRE', owed, kept)
"""
)

# KEYS: the processes that judge budgets, by the end of their lease; since when Redis has its data. ARGV: lease ms, this
# process. Answers {how many, since when}.
JOIN = Script(
    CLOCK
    + _BORN
    + """
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {redis.call('ZCARD', KEYS[1]), born_at(KEYS[2])}
"""
)

ALL = (RAISE_HOLDS, RENEW_HOLDS, INSTALL, JOIN)
