-- Works on every day but Sunday. On Sunday it sleeps for 24 hours.
local job = core.job()

function job.run()
  -- With true: by the clocks of the job's time zone. Without: UTC.
  if job.day(true) == "Sun" then
    return job.SLEEP
  end
  core.log("working on a", job.day(true))
  -- Your code here.
  return job.OK
end

return job
