-- Works in January only. In any other month it stops, until somebody reloads the Jobs Service or the server restarts.
local job = core.job()

function job.run()
  if job.month(true) ~= "Jan" then
    core.log("it is", job.month(true), "- stopping until the Jobs Service is reloaded")
    return job.STOP
  end
  -- Your code here.
  return job.OK
end

return job
