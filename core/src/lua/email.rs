//! `core.email`: a message that is put together by its methods and sent by the registry's `mail.send`.

use mlua::{Lua, Table, UserData, UserDataMethods, Value as LuaValue, Variadic};
use serde_json::{Map, Value, json};

use super::namespace::Host;
use super::schema::Hint;
use super::value;

const DEFAULT_SUBJECT: &str = "(no subject)";

/// Adds `core.email` with its one function `new([key, domain[, region]])`.
pub(super) fn bind(lua: &Lua, core: &Table, host: Host) -> mlua::Result<()> {
    let new = lua.create_function(
        move |_, (key, domain, region): (Option<String>, Option<String>, Option<String>)| {
            let mut message = Map::new();
            message.insert("subject".to_owned(), DEFAULT_SUBJECT.into());
            match (key, domain) {
                (None, None) => {}
                (Some(key), Some(domain)) => {
                    let region = region.unwrap_or_else(|| "US".to_owned());
                    message.insert(
                        "account".to_owned(),
                        json!({ "key": key, "domain": domain, "region": region }),
                    );
                }
                _ => {
                    return Err(mlua::Error::runtime(
                        "core.email.new takes nothing, or a key and a domain",
                    ));
                }
            }
            Ok(Message {
                fields: message,
                host: host.clone(),
            })
        },
    )?;
    let email = lua.create_table()?;
    email.raw_set("new", new)?;
    email.set_readonly(true);
    core.raw_set("email", email)
}

/// A message in the making. Its setters return it, so that calls can be chained.
struct Message {
    fields: Map<String, Value>,
    host: Host,
}

impl UserData for Message {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        for (method, field) in [("to", "to"), ("cc", "cc"), ("bcc", "bcc"), ("tag", "tags")] {
            add_list(methods, method, field);
        }
        for (method, field) in [
            ("from", "from"),
            ("replyTo", "reply_to"),
            ("subject", "subject"),
            ("text", "text"),
            ("html", "html"),
        ] {
            add_text(methods, method, field);
        }
        for (method, field) in [
            ("requireTls", "require_tls"),
            ("skipVerification", "skip_verification"),
            ("testMode", "test_mode"),
        ] {
            add_flag(methods, method, field);
        }
        methods.add_method("send", |lua, this, ()| {
            this.host
                .call_from_lua(lua, "mail.send", json!({ "message": this.fields }))
        });
    }
}

/// A method that takes one or several texts, also as a table, and adds them to those already there.
fn add_list<M: UserDataMethods<Message>>(methods: &mut M, method: &'static str, field: &'static str) {
    methods.add_function(
        method,
        move |_, (this, values): (mlua::AnyUserData, Variadic<LuaValue>)| {
            let mut added = Vec::new();
            for value in values.iter() {
                match convert(method, value)? {
                    Value::String(text) => added.push(Value::String(text)),
                    Value::Array(items) if items.iter().all(Value::is_string) => added.extend(items),
                    _ => return Err(wrong_type(method, "text")),
                }
            }
            let mut message = this.borrow_mut::<Message>()?;
            if let Value::Array(list) = message.fields.entry(field).or_insert_with(|| json!([])) {
                list.extend(added);
            }
            drop(message);
            Ok(this)
        },
    );
}

fn add_text<M: UserDataMethods<Message>>(methods: &mut M, method: &'static str, field: &'static str) {
    methods.add_function(method, move |_, (this, value): (mlua::AnyUserData, LuaValue)| {
        let Value::String(text) = convert(method, &value)? else {
            return Err(wrong_type(method, "text"));
        };
        this.borrow_mut::<Message>()?
            .fields
            .insert(field.to_owned(), text.into());
        Ok(this)
    });
}

/// A switch: on when called without an argument.
fn add_flag<M: UserDataMethods<Message>>(methods: &mut M, method: &'static str, field: &'static str) {
    methods.add_function(method, move |_, (this, on): (mlua::AnyUserData, Option<bool>)| {
        this.borrow_mut::<Message>()?
            .fields
            .insert(field.to_owned(), on.unwrap_or(true).into());
        Ok(this)
    });
}

fn convert(method: &str, value: &LuaValue) -> mlua::Result<Value> {
    value::to_json(value, method, Hint::NONE).map_err(mlua::Error::external)
}

fn wrong_type(method: &str, wanted: &str) -> mlua::Error {
    mlua::Error::runtime(format!("email:{method} takes {wanted}"))
}
