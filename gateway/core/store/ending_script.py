"""What Redis does in one step at the end of calls, of all that ended in one turn of a process' loop."""

from gateway.core.store.admission_scripts import BUCKETS
from gateway.core.store.budget_scripts import HOLDS
from gateway.core.store.script import CLOCK, Script

# KEYS: slots of limits, buckets, and of each subject `money`, `owed` and `held`.
# ARGV: ms that all is kept, how many slots, buckets and subjects there are; for the slots of each limit how many calls
# give one back, and their ids; for each bucket its amount, window in s, and what is taken (below zero: given back);
# for each subject how many calls hold nothing more of it, and their ids, then how many amounts are settled, and of each
# the call or '', process, seq, quarter and amount. What is settled is taken out of what its call still holds.
END_CALLS = Script(
    CLOCK
    + BUCKETS
    + HOLDS
    + """
local call, kept = redis.call, ARGV[1]
local slots, buckets, subjects = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local at = 4
for i = 1, slots do
  local last = at + 1 + ARGV[at + 1]
  call('ZREM', KEYS[i], unpack(ARGV, at + 2, last))
  at = last
end
for i = slots + 1, slots + buckets do
  local amount, window, taken = tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local level = math.max(0, level_of(call('GET', KEYS[i]), amount, window) + taken)
  keep_level(KEYS[i], level, amount, window)
  at = at + 3
end
for s = 1, subjects do
  local k = slots + buckets + 3 * s
  local money, owed, held = KEYS[k - 2], KEYS[k - 1], KEYS[k]
  local ended, last = {}, at + 1 + ARGV[at + 1]
  for i = at + 2, last do
    ended[ARGV[i]] = true
    drop(held, ARGV[i])
  end
  local marks, is_first = {}, false
  at, last = last + 1, last + 1 + 5 * ARGV[last + 1]
  for i = at + 1, last, 5 do
    local id, process, seq, quarter, amount = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local mark = marks[process]
    if not mark then
      mark = tonumber(call('HGET', owed, 'm:' .. process) or -1)
      marks[process] = mark
    end
    local is_held = mark >= tonumber(seq)
    local is_new = not is_held and call('HSETNX', owed, 'e:' .. process .. ':' .. seq, quarter .. ':' .. amount) == 1
    if is_new then
      is_first = call('HINCRBY', money, 'q:' .. quarter, amount) <= tonumber(amount) or is_first
    end
    if id ~= '' and not ended[id] and (is_new or is_held) then
      local before = call('HGET', held, 'a:' .. id)
      -- Below zero it is put right again: the sum of holds is taken no more than the hold was.
      if before and call('HINCRBY', held, 'a:' .. id, '-' .. amount) > 0 then
        call('HINCRBY', held, '*', '-' .. amount)
      elseif before then
        call('HSET', held, 'a:' .. id, before)
        drop(held, id)
      end
    end
  end
  at = last
  -- Once for what is owed of a quarter of an hour: no key is kept that much longer than the others.
  if is_first then
    call('PEXPIRE', money, kept)
    call('PEXPIRE', owed, kept)
  end
end
"""
)
