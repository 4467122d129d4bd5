//! The named schemas of the document.
//!
//! The schema of each function brings the types it is made of along, by their names in Rust. Here they become components
//! that functions share. A name that stands for different types in different services starts with its service.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::Function;

const LOCAL: &str = "#/$defs/";
const SHARED: &str = "#/components/schemas/";
/// Types that hold themselves are compared down to here.
const DEEPEST: usize = 8;

/// One schema of a function: that of its parameters, or of its result.
struct Source {
    service: String,
    function: String,
    /// What the root is called, when it becomes a component.
    root_name: Option<String>,
    root: Value,
    types: Map<String, Value>,
}

/// A function's schemas, as the document refers to them.
pub(super) struct Schemas {
    pub(super) parameters: Value,
    pub(super) returns: Value,
}

/// All components, and what each function refers to.
pub(super) struct Components {
    pub(super) schemas: Map<String, Value>,
    pub(super) of: BTreeMap<String, Schemas>,
}

/// Names the types of all functions; of those that are `shown`, the document has the components.
pub(super) fn of<'f>(all: impl Iterator<Item = (&'f Function, bool)>) -> Components {
    let sources: Vec<(bool, Source, Source)> = all
        .map(|(function, shown)| {
            let (parameters, returns) = function.named_schemas();
            let name = pascal(&function.spec.name);
            let parameters = Source::new(function, parameters, |_| Some(format!("{name}Parameters")));
            let returns = Source::new(function, returns, |root| {
                is_object(root).then(|| title(root).unwrap_or_else(|| format!("{name}Result")))
            });
            (shown, parameters, returns)
        })
        .collect();
    let mut names = Names::default();
    for (_, parameters, returns) in &sources {
        names.note(parameters);
        names.note(returns);
    }
    let mut components = Components {
        schemas: Map::new(),
        of: BTreeMap::new(),
    };
    for (_, parameters, returns) in sources.iter().filter(|(shown, _, _)| *shown) {
        let schemas = Schemas {
            parameters: parameters.add_to(&mut components.schemas, &names),
            returns: returns.add_to(&mut components.schemas, &names),
        };
        components.of.insert(parameters.function.clone(), schemas);
    }
    components.schemas.sort_keys();
    components
}

impl Source {
    fn new(function: &Function, mut root: Value, name: impl Fn(&Value) -> Option<String>) -> Self {
        let root_name = name(&root);
        let mut types = Map::new();
        if let Some(root) = root.as_object_mut() {
            root.shift_remove("title");
            if let Some(Value::Object(own)) = root.shift_remove("$defs") {
                types = own;
            }
        }
        let name = &function.spec.name;
        Self {
            service: name.split('.').next().unwrap_or_default().to_owned(),
            function: name.clone(),
            root_name,
            root,
            types,
        }
    }

    /// Every type with its name in Rust.
    fn named(&self) -> impl Iterator<Item = (&String, &Value)> {
        let root = self.root_name.iter().map(|name| (name, &self.root));
        self.types.iter().chain(root)
    }

    /// What tells a type from others of its name: itself, with all it refers to written out.
    fn identity(&self, schema: &Value) -> String {
        self.written_out(schema, 0).to_string()
    }

    fn written_out(&self, schema: &Value, depth: usize) -> Value {
        if let Some(name) = reference(schema) {
            return match self.types.get(name).filter(|_| depth < DEEPEST) {
                Some(found) => self.written_out(found, depth + 1),
                None => Value::from(name),
            };
        }
        match schema {
            Value::Object(map) => {
                let parts = map
                    .iter()
                    .map(|(key, part)| (key.clone(), self.written_out(part, depth)));
                Value::Object(parts.collect())
            }
            Value::Array(parts) => parts.iter().map(|part| self.written_out(part, depth)).collect(),
            plain => plain.clone(),
        }
    }

    /// Adds the types to the components; returns what stands for the root.
    fn add_to(&self, schemas: &mut Map<String, Value>, names: &Names) -> Value {
        for (name, schema) in self.named() {
            let shared = names.of(self, name, schema);
            schemas
                .entry(shared)
                .or_insert_with(|| self.shared(schema, names));
        }
        match &self.root_name {
            Some(name) => json!({ "$ref": format!("{SHARED}{}", names.of(self, name, &self.root)) }),
            None => self.shared(&self.root, names),
        }
    }

    /// The schema as it stands among the components.
    fn shared(&self, schema: &Value, names: &Names) -> Value {
        match schema {
            Value::Object(map) => {
                let parts = map
                    .iter()
                    .filter(|(key, part)| !(*key == "default" && part.is_null()));
                let parts = parts.map(|(key, part)| (key.clone(), self.part(key, part, names)));
                choice_of_texts(parts.collect())
            }
            Value::Array(parts) => parts.iter().map(|part| self.shared(part, names)).collect(),
            plain => plain.clone(),
        }
    }

    fn part(&self, key: &str, part: &Value, names: &Names) -> Value {
        match (key, part) {
            ("$ref", Value::String(path)) => match path.strip_prefix(LOCAL) {
                Some(name) => {
                    let none = Value::Null;
                    let schema = self.types.get(name).unwrap_or(&none);
                    json!(format!("{SHARED}{}", names.of(self, name, schema)))
                }
                None => json!(format!("{SHARED}{}", self.root_name.clone().unwrap_or_default())),
            },
            // Values, and not schemas.
            ("default" | "const" | "enum" | "examples" | "required", _) => part.clone(),
            // Generators want an object where JSON Schema is content with `true`.
            ("items", Value::Bool(true)) => json!({}),
            ("properties", Value::Object(properties)) => {
                let properties = properties.iter().map(|(name, property)| match property {
                    Value::Bool(true) => (name.clone(), json!({})),
                    property => (name.clone(), self.shared(property, names)),
                });
                Value::Object(properties.collect())
            }
            _ => self.shared(part, names),
        }
    }
}

/// Which types there are of each name.
#[derive(Default)]
struct Names(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Names {
    fn note(&mut self, source: &Source) {
        for (name, schema) in source.named() {
            let types = self.0.entry(plain(name)).or_default();
            let services = types.entry(source.identity(schema)).or_default();
            services.insert(source.service.clone());
        }
    }

    fn of(&self, source: &Source, name: &str, schema: &Value) -> String {
        let name = plain(name);
        let Some(types) = self.0.get(&name).filter(|types| types.len() > 1) else {
            return name;
        };
        let own = types
            .values()
            .filter(|services| services.contains(&source.service))
            .count();
        // A type that several services share keeps its name when it is the only shared one.
        let identity = source.identity(schema);
        let is_shared = |services: &BTreeSet<String>| services.len() > 1;
        let shared = types.values().filter(|services| is_shared(services)).count();
        if shared == 1 && types.get(&identity).is_some_and(is_shared) {
            return name;
        }
        if own == 1 {
            return format!("{}{name}", pascal(&source.service));
        }
        format!("{}{name}", pascal(&source.function))
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(LOCAL)
}

fn is_object(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object") && schema.get("properties").is_some()
}

fn title(schema: &Value) -> Option<String> {
    schema.get("title").and_then(Value::as_str).map(plain)
}

/// A choice of described texts as an `enum`, which generators understand; the descriptions stand together.
fn choice_of_texts(mut schema: Map<String, Value>) -> Value {
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else {
        return Value::Object(schema);
    };
    let named: Option<Vec<(&str, Option<&str>)>> = choices
        .iter()
        .map(|choice| {
            let about = choice.get("description").and_then(Value::as_str);
            Some((choice.get("const")?.as_str()?, about))
        })
        .collect();
    let Some(named) = named else {
        return Value::Object(schema);
    };
    let texts: Vec<&str> = named.iter().map(|(text, _)| *text).collect();
    let about = named
        .iter()
        .filter_map(|(text, about)| Some(format!("`{text}`: {}", (*about)?)));
    let own = schema
        .get("description")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let described: Vec<String> = own.into_iter().chain(about).collect();
    let texts = json!(texts);
    schema.shift_remove("oneOf");
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), texts);
    if !described.is_empty() {
        schema.insert("description".to_owned(), json!(described.join("\n\n")));
    }
    Value::Object(schema)
}

/// `users.sendPasswordResetLink` as `UsersSendPasswordResetLink`.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|first| first.to_uppercase().collect::<String>());
        format!("{}{}", first.unwrap_or_default(), chars.as_str())
    };
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .map(word)
        .collect()
}

/// A name that every language can take.
fn plain(name: &str) -> String {
    pascal(name)
}
