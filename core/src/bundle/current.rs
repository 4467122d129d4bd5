//! The server as files: always in the same order and form, so that two exports of the same state are the same bytes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Files, Kind, LeftOut, paths, plan};
use crate::functions::Call;
use crate::{Error, Result};

/// The first line of a job's file.
const JOB_HEAD: &str = "# A job of Coronet. What is not named here has its default.\n";
/// Says of a job what every job's file says; the rest is written only where it is not the default.
const JOB_MUST: [&str; 3] = ["name", "path", "interval"];
/// What a scope has beside its settings.
const SCOPE_FACTS: [&str; 2] = ["created_at", "updated_at"];

/// What a bundle of this server has.
#[derive(Debug, Default)]
pub(super) struct Current {
    pub(super) files: Files,
    /// All settings of each job, by its file.
    pub(super) jobs: BTreeMap<String, Map<String, Value>>,
    pub(super) defaults: JobDefaults,
    /// Texts that lie in files of the home, by their places in the bundle: they cannot be deleted from here.
    pub(super) in_home: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
}

#[derive(Deserialize)]
struct Resource {
    path: String,
    layer: String,
    layers: Vec<String>,
}

/// What is there of the kinds that are wanted.
pub(super) async fn read(call: &Call, wanted: impl Fn(Kind) -> bool) -> Result<Current> {
    let mut current = Current::default();
    if wanted(Kind::Scopes) {
        read_scopes(call, &mut current).await?;
    }
    if wanted(Kind::Jobs) {
        read_jobs(call, &mut current).await?;
    }
    if wanted(Kind::Settings) {
        read_settings(call, &mut current).await?;
    }
    if Kind::ALL
        .into_iter()
        .any(|kind| kind.is_resource() && wanted(kind))
    {
        read_resources(call, &mut current).await?;
        let unwanted = |path: &String| Kind::of(path).is_some_and(|kind| !wanted(kind));
        current.files.retain(|path, _| !unwanted(path));
        current.left_out.retain(|left_out| !unwanted(&left_out.path));
    }
    Ok(current)
}

async fn read_scopes(call: &Call, current: &mut Current) -> Result<()> {
    let scopes: Vec<Map<String, Value>> = get(call, "scopes.list", json!({})).await?;
    for mut scope in scopes {
        scope.retain(|name, _| !SCOPE_FACTS.contains(&name.as_str()));
        let name = scope["name"].as_str().unwrap_or_default();
        let path = paths::of(Kind::Scopes, name);
        current.files.insert(path, written(&scope)?);
    }
    Ok(())
}

/// The settings that a job has when only what it must have is said of it. They also say which settings there are.
#[derive(Debug, Default)]
pub(super) struct JobDefaults(Map<String, Value>);

impl JobDefaults {
    async fn ask(call: &Call) -> Result<Self> {
        let least = json!({ "name": "Any", "path": "any.lua", "interval": 60 });
        Ok(Self(get(call, "jobs.check", json!({ "job": least })).await?))
    }

    /// A job's settings as its file.
    pub(super) fn written(&self, job: &Map<String, Value>) -> Result<String> {
        let told = job
            .iter()
            .filter(|(name, value)| JOB_MUST.contains(&name.as_str()) || self.0.get(*name) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Ok(format!("{JOB_HEAD}{}", written(&told)?))
    }
}

async fn read_jobs(call: &Call, current: &mut Current) -> Result<()> {
    current.defaults = JobDefaults::ask(call).await?;
    let jobs: Vec<Map<String, Value>> = get(call, "jobs.list", json!({})).await?;
    for job in jobs {
        let names = current.defaults.0.keys();
        let setting = |name: &String| match job.get(name) {
            Some(value) => Ok((name.clone(), value.clone())),
            None => Err(Error::unexpected(format!(
                "jobs.list does not tell the setting {name}"
            ))),
        };
        let settings: Map<String, Value> = names.map(setting).collect::<Result<_>>()?;
        let path = paths::of(Kind::Jobs, job["name"].as_str().unwrap_or_default());
        current
            .files
            .insert(path.clone(), current.defaults.written(&settings)?);
        current.jobs.insert(path, settings);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Group {
    name: String,
    settings: Vec<Setting>,
}

#[derive(Deserialize)]
struct Setting {
    name: String,
    value: Value,
    secret: bool,
}

async fn read_settings(call: &Call, current: &mut Current) -> Result<()> {
    let groups: Vec<Group> = get(call, "settings.list", json!({})).await?;
    for group in groups {
        let open = group.settings.into_iter().filter(|setting| !setting.secret);
        let values: Map<String, Value> = open.map(|setting| (setting.name, setting.value)).collect();
        current
            .files
            .insert(paths::of(Kind::Settings, &group.name), written(&values)?);
    }
    Ok(())
}

/// Texts that this installation changed: edited ones, and files of the home that differ from what ships.
async fn read_resources(call: &Call, current: &mut Current) -> Result<()> {
    let resources: Vec<Resource> = get(call, "resources.list", json!({})).await?;
    for resource in resources.into_iter().filter(|one| one.layer != "shipped") {
        let path = paths::of_resource(&resource.path);
        let text = match text(call, &resource.path, None).await {
            Ok(text) => text,
            Err(error) => {
                let why = error.message().to_owned();
                current.left_out.push(LeftOut { path, why });
                continue;
            }
        };
        if resource.layer == "file" {
            current.in_home.push(path.clone());
        }
        let is_shipped = resource.layers.iter().any(|layer| layer == "shipped");
        if is_shipped && self::text(call, &resource.path, Some("shipped")).await? == text {
            continue;
        }
        current.files.insert(path, text);
    }
    Ok(())
}

impl Current {
    /// Takes out the texts that no import would take, so that the rest can be imported: the home may hold files of any
    /// kind.
    pub(super) async fn leave_out_what_is_refused(&mut self, call: &Call) -> Result<()> {
        let texts: BTreeMap<String, &str> = self
            .files
            .iter()
            .filter(|(path, _)| Kind::of(path).is_some_and(Kind::is_resource))
            .map(|(path, text)| (paths::resource(path), text.as_str()))
            .collect();
        let mut refused = plan::checked(call, &texts).await?.problems;
        for path in self.files.keys() {
            if let Err(error) = paths::check_path(path) {
                let message = error.message().to_owned();
                refused.push(plan::Refused {
                    path: paths::resource(path),
                    message,
                });
            }
        }
        for plan::Refused { path, message } in refused {
            let path = paths::of_resource(&path);
            if self.files.remove(&path).is_some() {
                self.left_out.push(LeftOut { path, why: message });
            }
        }
        Ok(())
    }
}

/// The text of a resource, the live one or that of a layer.
pub(super) async fn text(call: &Call, path: &str, layer: Option<&str>) -> Result<String> {
    #[derive(Deserialize)]
    struct Text {
        text: String,
    }
    let parameters = json!({ "path": path, "layer": layer });
    Ok(get::<Text>(call, "resources.read", parameters).await?.text)
}

async fn get<T: serde::de::DeserializeOwned>(call: &Call, function: &str, parameters: Value) -> Result<T> {
    let answer = call.act(function, parameters).await?;
    serde_json::from_value(answer).map_err(Error::unexpected)
}

/// Fields as TOML: in their order, without those that are not set.
pub(super) fn written(fields: &Map<String, Value>) -> Result<String> {
    let set: Map<String, Value> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    toml::to_string_pretty(&set).map_err(Error::unexpected)
}
