//! `core.email`: a message that is put together by its methods and sent by the registry's `mail.send`.

use mlua::{AnyUserData, Lua, Table, UserData, UserDataMethods, Value, Variadic};
use serde_json::json;

use super::namespace::Host;
use super::schema::Hint;
use super::value;

const DEFAULT_SUBJECT: &str = "(no subject)";

/// Adds `core.email` with its one function `new([key, domain[, region]])`.
pub(super) fn bind(lua: &Lua, core: &Table, host: Host) -> mlua::Result<()> {
    let new = lua.create_function(
        move |lua, (key, domain, region): (Option<String>, Option<String>, Option<String>)| {
            let fields = lua.create_table()?;
            fields.raw_set("subject", DEFAULT_SUBJECT)?;
            match (key, domain) {
                (None, None) => {}
                (Some(key), Some(domain)) => {
                    let account = lua.create_table()?;
                    account.raw_set("key", key)?;
                    account.raw_set("domain", domain)?;
                    account.raw_set("region", region.unwrap_or_else(|| "US".to_owned()))?;
                    fields.raw_set("account", account)?;
                }
                _ => {
                    return Err(mlua::Error::runtime(
                        "core.email.new takes nothing, or a key and a domain",
                    ));
                }
            }
            Ok(Message {
                fields,
                host: host.clone(),
            })
        },
    )?;
    let email = lua.create_table()?;
    email.raw_set("new", new)?;
    email.set_readonly(true);
    core.raw_set("email", email)
}

/// A message in the making. Its setters return it, so that calls can be chained. What was set is kept in a Lua
/// table, where the session's memory limit counts it.
struct Message {
    fields: Table,
    host: Host,
}

impl UserData for Message {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        for (method, field) in [
            ("to", "to"),
            ("cc", "cc"),
            ("bcc", "bcc"),
            ("replyTo", "reply_to"),
            ("tag", "tags"),
        ] {
            add_list(methods, method, field);
        }
        for (method, field) in [
            ("from", "from"),
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
            let fields = Value::Table(this.fields.clone());
            let message = value::to_json(&fields, "email", Hint::NONE).map_err(mlua::Error::external)?;
            this.host
                .call_from_lua(lua, "mail.send", json!({ "message": message }))
        });
    }
}

/// A method that takes one or several texts, also as a table, and adds them to those already there.
fn add_list<M: UserDataMethods<Message>>(methods: &mut M, method: &'static str, field: &'static str) {
    methods.add_function(
        method,
        move |lua, (this, values): (AnyUserData, Variadic<Value>)| {
            let fields = this.borrow::<Message>()?.fields.clone();
            let list = match fields.raw_get::<Option<Table>>(field)? {
                Some(list) => list,
                None => lua.create_table()?,
            };
            for value in values {
                match value {
                    Value::String(text) => list.raw_push(text)?,
                    Value::Table(several) => {
                        for text in several.sequence_values::<Value>() {
                            let Value::String(text) = text? else {
                                return Err(wrong_type(method));
                            };
                            list.raw_push(text)?;
                        }
                    }
                    _ => return Err(wrong_type(method)),
                }
            }
            fields.raw_set(field, list)?;
            Ok(this)
        },
    );
}

fn add_text<M: UserDataMethods<Message>>(methods: &mut M, method: &'static str, field: &'static str) {
    methods.add_function(method, move |_, (this, value): (AnyUserData, Value)| {
        let Value::String(text) = value else {
            return Err(wrong_type(method));
        };
        this.borrow::<Message>()?.fields.raw_set(field, text)?;
        Ok(this)
    });
}

/// A switch: on when called without an argument.
fn add_flag<M: UserDataMethods<Message>>(methods: &mut M, method: &'static str, field: &'static str) {
    methods.add_function(method, move |_, (this, on): (AnyUserData, Option<bool>)| {
        this.borrow::<Message>()?
            .fields
            .raw_set(field, on.unwrap_or(true))?;
        Ok(this)
    });
}

fn wrong_type(method: &str) -> mlua::Error {
    mlua::Error::runtime(format!("email:{method} takes text"))
}
