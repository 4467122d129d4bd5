//! The job that comes with the service and stays: it keeps the history within its bounds.

use coronet_core::{Code, Error, Result};
use serde_json::json;

use crate::form::{NewJob, Past};
use crate::job::Job;
use crate::service::Jobs;

/// Its id, by which it is known whatever it is called.
pub(crate) const ID: &str = "job_history_cleanup";
const NAME: &str = "Job History Cleanup";
const PATH: &str = "admin/job_history_cleanup.lua";
/// Its code, as a resource.
pub(crate) const CODE: (&str, &str) = (
    "jobs/admin/job_history_cleanup.lua",
    include_str!("../admin/job_history_cleanup.lua"),
);
/// Long histories take their time.
const TIMEOUT: i64 = 3600;

impl Job {
    pub(crate) fn is_builtin(&self) -> bool {
        self.id == ID
    }

    /// Checks that this is no other job than before. (What it does is the service's own; when it runs is not.)
    pub(crate) fn check_builtin(&self, before: &Self) -> Result<()> {
        if !self.is_builtin() || (&self.name, &self.path) == (&before.name, &before.path) {
            return Ok(());
        }
        let field = if self.name == before.name { "path" } else { "name" };
        let text = format!(
            "The job \"{}\" comes with Coronet and keeps its name and its path.",
            before.name
        );
        Err(crate::form::invalid(field, text))
    }

    /// Checks that it may be deleted.
    pub(crate) fn check_deletable(&self) -> Result<()> {
        if !self.is_builtin() {
            return Ok(());
        }
        let text = format!(
            "The job \"{}\" comes with Coronet and cannot be deleted. Set it inactive when old runs are to be kept.",
            self.name
        );
        Err(Error::new(Code::Conflict, text))
    }
}

impl Jobs {
    /// Makes the job when it is not there yet.
    pub(crate) async fn provide_builtin(&self) -> Result<()> {
        if self.store.has(ID).await? {
            return Ok(());
        }
        let settings = json!({ "name": NAME, "path": PATH, "interval": 3600, "timeout": TIMEOUT });
        let new: NewJob = serde_json::from_value(settings).map_err(Error::unexpected)?;
        let mut job = new.into_job(self.core.clock.now_ms(), Past::Refused)?;
        ID.clone_into(&mut job.id);
        match self.store.insert(job).await {
            // Another server was quicker; or somebody has a job of that name.
            Err(error) if error.code() == Code::Conflict => {
                if !self.store.has(ID).await? {
                    tracing::warn!(
                        "another job is called \"{NAME}\", so old runs are not removed; rename it and start again"
                    );
                }
                Ok(())
            }
            made => made,
        }
    }
}
