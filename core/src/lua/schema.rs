//! What a function's JSON schema says about its positional parameters and empty tables.

use serde_json::Value;

/// How many `$ref` and `anyOf` steps are followed; a schema may refer to itself.
const MAX_STEPS: usize = 8;

/// The part of a schema that describes the value at hand, when it is known.
#[derive(Debug, Clone, Copy)]
pub struct Hint<'a> {
    root: &'a Value,
    part: Option<&'a Value>,
}

impl<'a> Hint<'a> {
    /// Nothing is known.
    pub const NONE: Hint<'static> = Hint {
        root: &Value::Null,
        part: None,
    };

    /// `part` is a sub-schema of `root`, which holds the `$defs`.
    pub fn new(root: &'a Value, part: &'a Value) -> Self {
        Self {
            root,
            part: Some(part),
        }
    }

    /// The schema of the field `key`.
    pub(super) fn field(self, key: &str) -> Self {
        self.step(|schema| {
            let known = schema
                .get("properties")
                .and_then(|properties| properties.get(key));
            known.or_else(|| schema.get("additionalProperties"))
        })
    }

    /// The schema of a list's items.
    pub(super) fn item(self) -> Self {
        self.step(|schema| schema.get("items"))
    }

    /// Whether an empty table here means an empty list.
    pub(super) fn wants_list(self) -> bool {
        self.kinds() == (true, false)
    }

    /// Whether only a record can stand here.
    pub(super) fn wants_record(self) -> bool {
        self.kinds() == (false, true)
    }

    /// Whether a list, and whether a record can stand here. Neither says that nothing is known.
    fn kinds(self) -> (bool, bool) {
        let mut list = false;
        let mut record = false;
        self.visit(&mut |schema| {
            let is = |name: &str| match schema.get("type") {
                Some(Value::String(one)) => one == name,
                Some(Value::Array(several)) => several.iter().any(|one| one == name),
                _ => false,
            };
            list |= is("array") || schema.get("prefixItems").is_some();
            record |= is("object") || schema.get("properties").is_some();
        });
        (list, record)
    }

    fn step(self, find: impl Fn(&'a Value) -> Option<&'a Value>) -> Self {
        let mut part = None;
        self.visit(&mut |schema| part = part.or_else(|| find(schema)));
        Self {
            root: self.root,
            part,
        }
    }

    /// Calls `see` with the schema and everything it refers to or chooses from.
    fn visit(self, see: &mut dyn FnMut(&'a Value)) {
        if let Some(part) = self.part {
            visit(self.root, part, see, MAX_STEPS);
        }
    }
}

fn visit<'a>(root: &'a Value, schema: &'a Value, see: &mut dyn FnMut(&'a Value), steps: usize) {
    if steps == 0 {
        return;
    }
    see(schema);
    let target = schema.get("$ref").and_then(Value::as_str);
    if let Some(found) = target.and_then(|target| root.pointer(target.trim_start_matches('#'))) {
        visit(root, found, see, steps - 1);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        for branch in schema.get(choice).and_then(Value::as_array).into_iter().flatten() {
            visit(root, branch, see, steps - 1);
        }
    }
}
