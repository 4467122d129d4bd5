local job = core.job()

function job.run()
  -- Your code here. Everything under core can be used, such as core.log("hello").

  -- job.OK:    done, run again at the next interval
  -- job.SLEEP: done, do not run again for 24 hours
  -- job.STOP:  do not run again until the Jobs Service is reloaded
  -- job.EXIT:  do not run again; the job is set inactive
  return job.OK
end

return job
