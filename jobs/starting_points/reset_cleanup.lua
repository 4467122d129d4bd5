-- Deletes reset links that are over a day old. Once an hour or once a day is often enough.
local job = core.job()

function job.run()
  -- A call returns its result, or nil, a message and a code.
  local deleted, err = core.users.flushExpiredPasswordResets()
  if not deleted then
    -- An error ends the run; it is tried again, as often as the job's retries say.
    error("the reset links could not be deleted: " .. err)
  end
  core.log("reset links deleted:", deleted)
  return job.OK
end

return job
