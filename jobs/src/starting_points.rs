//! What the code of a new job may start with: jobs that work, to be changed.

use schemars::JsonSchema;
use serde::Deserialize;

/// A job to start from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StartingPoint {
    /// A job that does nothing yet.
    #[default]
    Empty,
    /// Deletes old reset links.
    ResetCleanup,
    /// Mails a report of how jobs and mail do.
    WeeklyReport,
    /// Calls a web service, and looks at what it answers.
    WebService,
    /// Sleeps on Sundays.
    NotOnSundays,
    /// Stops outside January.
    OnlyInJanuary,
    /// Makes what must be there, once.
    SetUpOnce,
}

impl StartingPoint {
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => include_str!("../new_job.lua"),
            Self::ResetCleanup => include_str!("../starting_points/reset_cleanup.lua"),
            Self::WeeklyReport => include_str!("../starting_points/weekly_report.lua"),
            Self::WebService => include_str!("../starting_points/web_service.lua"),
            Self::NotOnSundays => include_str!("../starting_points/not_on_sundays.lua"),
            Self::OnlyInJanuary => include_str!("../starting_points/only_in_january.lua"),
            Self::SetUpOnce => include_str!("../starting_points/set_up_once.lua"),
        }
    }
}
