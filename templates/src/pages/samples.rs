use serde_json::Value;

pub(crate) fn contexts() -> Vec<(&'static str, Value, Value)> {
    Vec::new()
}
