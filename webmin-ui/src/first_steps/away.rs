//! Whether the checklist stays away from the dashboard. The database knows: neither another browser nor a scope that is
//! deleted later brings back a checklist that was complete or that its operator hid.

use coronet_core::Result;

use crate::kit::Desk;

/// Set once all steps were done, for all operators.
const COMPLETE: &str = "first_steps.complete";

/// Set when this operator hid the checklist.
fn hidden_by(desk: &Desk<'_>) -> String {
    format!("first_steps.hidden_by.{}", desk.operator.id)
}

/// Whether the checklist stays away for this operator.
pub(crate) async fn is_away(desk: &Desk<'_>) -> Result<bool> {
    let settings = &desk.webmin.core.settings;
    Ok(settings.get::<bool>(COMPLETE).await?.is_some()
        || settings.get::<bool>(&hidden_by(desk)).await?.is_some())
}

/// Keeps it away from all dashboards, for good.
pub(crate) async fn complete(desk: &Desk<'_>) -> Result<()> {
    desk.webmin.core.settings.put(COMPLETE, &true).await
}

/// Keeps it away from this operator's dashboard.
pub(super) async fn hide(desk: &Desk<'_>) -> Result<()> {
    desk.webmin.core.settings.put(&hidden_by(desk), &true).await
}

/// Shows it again, to this operator, or to all when it was complete.
pub(super) async fn bring_back(desk: &Desk<'_>) -> Result<()> {
    let settings = &desk.webmin.core.settings;
    settings.remove(&hidden_by(desk)).await?;
    settings.remove(COMPLETE).await.map(drop)
}
