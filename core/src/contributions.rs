//! What core rooms and plugins bring along: shipped resources, public routes and recommended jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that ships with Coronet or a plugin: the lowest of a resource's three layers.
#[derive(Debug, Clone, PartialEq)]
pub struct ShippedResource {
    pub provider: String,
    pub text: Arc<str>,
}

/// A public path that shows a page, such as `/_resetpassword` -> `_coronium/password/password_form`.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub provider: String,
    pub page: String,
}

/// A job that its provider recommends; the webmin offers to add it with one click.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendedJob {
    pub name: String,
    /// The code's path below `jobs/`.
    pub path: String,
    /// Seconds between runs.
    pub interval: u32,
    #[serde(default)]
    pub run_once: bool,
    #[serde(default = "yes")]
    pub active: bool,
    /// Why an operator would want it, in one sentence.
    #[serde(default)]
    pub summary: String,
}

fn yes() -> bool {
    true
}

/// A role that a provider offers to take, such as delivering mail, and the function that does the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Provided {
    pub provider: String,
    /// The role, such as `mail.transport`.
    pub kind: String,
    /// What operators choose it by.
    pub name: String,
    pub function: String,
}

#[derive(Debug, Default)]
struct Inner {
    resources: BTreeMap<String, ShippedResource>,
    routes: BTreeMap<String, Route>,
    jobs: BTreeMap<String, (String, RecommendedJob)>,
    /// By kind and name.
    provided: BTreeMap<(String, String), Provided>,
    version: u64,
}

/// All contributions, shared. The first provider of a path or name keeps it: core starts before plugins,
/// so a plugin can never replace what Coronet ships.
#[derive(Debug, Clone, Default)]
pub struct Contributions(Arc<RwLock<Inner>>);

impl Contributions {
    /// Adds a shipped resource. Returns false when another provider already has that path.
    pub fn add_resource(&self, provider: &str, path: &str, text: impl Into<Arc<str>>) -> bool {
        let mut inner = self.write();
        if inner
            .resources
            .get(path)
            .is_some_and(|held| held.provider != provider)
        {
            return false;
        }
        let shipped = ShippedResource {
            provider: provider.to_owned(),
            text: text.into(),
        };
        inner.resources.insert(path.to_owned(), shipped);
        inner.version += 1;
        true
    }

    pub fn resource(&self, path: &str) -> Option<ShippedResource> {
        self.read().resources.get(path).cloned()
    }

    /// All shipped resources by path, in order.
    pub fn resources(&self) -> Vec<(String, ShippedResource)> {
        self.read()
            .resources
            .iter()
            .map(|(path, held)| (path.clone(), held.clone()))
            .collect()
    }

    /// Grows with every change of the resources; lets a cache see that it is stale.
    pub fn version(&self) -> u64 {
        self.read().version
    }

    /// Adds a public route. Returns false when another provider already has that path.
    pub fn add_route(&self, provider: &str, path: &str, page: &str) -> bool {
        let mut inner = self.write();
        if inner
            .routes
            .get(path)
            .is_some_and(|held| held.provider != provider)
        {
            return false;
        }
        let route = Route {
            provider: provider.to_owned(),
            page: page.to_owned(),
        };
        inner.routes.insert(path.to_owned(), route);
        true
    }

    pub fn route(&self, path: &str) -> Option<Route> {
        self.read().routes.get(path).cloned()
    }

    pub fn routes(&self) -> Vec<(String, Route)> {
        self.read()
            .routes
            .iter()
            .map(|(path, route)| (path.clone(), route.clone()))
            .collect()
    }

    /// Adds a recommended job. Returns false when another provider already recommends one of that name.
    pub fn add_job(&self, provider: &str, job: RecommendedJob) -> bool {
        let mut inner = self.write();
        if inner
            .jobs
            .get(&job.name)
            .is_some_and(|(held, _)| held != provider)
        {
            return false;
        }
        inner.jobs.insert(job.name.clone(), (provider.to_owned(), job));
        true
    }

    /// The recommended jobs with their providers, by name.
    pub fn jobs(&self) -> Vec<(String, RecommendedJob)> {
        self.read().jobs.values().cloned().collect()
    }

    /// Offers to take a role under a name. Returns false when another provider already has that name.
    pub fn add_provided(&self, provider: &str, kind: &str, name: &str, function: &str) -> bool {
        let mut inner = self.write();
        let key = (kind.to_owned(), name.to_owned());
        if inner
            .provided
            .get(&key)
            .is_some_and(|held| held.provider != provider)
        {
            return false;
        }
        let provided = Provided {
            provider: provider.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            function: function.to_owned(),
        };
        inner.provided.insert(key, provided);
        true
    }

    /// Who offers to take a role under this name.
    pub fn provider_of(&self, kind: &str, name: &str) -> Option<String> {
        let key = (kind.to_owned(), name.to_owned());
        self.read().provided.get(&key).map(|held| held.provider.clone())
    }

    /// Who offers to take a role, by name.
    pub fn provided(&self, kind: &str) -> Vec<Provided> {
        let inner = self.read();
        let of_kind = inner.provided.values().filter(|provided| provided.kind == kind);
        of_kind.cloned().collect()
    }

    /// Takes back everything a provider brought.
    pub fn remove(&self, provider: &str) {
        let mut inner = self.write();
        inner.resources.retain(|_, held| held.provider != provider);
        inner.routes.retain(|_, held| held.provider != provider);
        inner.jobs.retain(|_, (held, _)| held != provider);
        inner.provided.retain(|_, held| held.provider != provider);
        inner.version += 1;
    }

    // A panic while the lock was held cannot leave the maps half changed: every change is one insert or retain.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_cannot_replace_what_core_ships_and_takes_only_its_own_along() {
        let all = Contributions::default();
        assert!(all.add_resource("core", "templates/password/email.tpl", "ours"));
        assert!(!all.add_resource("echo", "templates/password/email.tpl", "theirs"));
        assert!(all.add_resource("echo", "templates/echo.tpl", "echo"));

        all.remove("echo");

        assert_eq!(
            &*all.resource("templates/password/email.tpl").unwrap().text,
            "ours"
        );
        assert_eq!(all.resource("templates/echo.tpl"), None);
    }
}
