//! What the figures say of codes.

use super::histories::mailed;
use super::*;
use crate::{Figure, Figures, server};

/// How often it happened today.
async fn count(core: &Core, figure: Figure) -> i64 {
    let window =
        json!({"names": [figure.name()], "from": core.clock.now_ms() - 3_600_000 * 24, "step": 3600});
    let caller = Caller::cli();
    let history = core.functions.call(&caller, "server.history", window);
    let history = history.await.unwrap();
    let values = history["series"][0]["values"].as_array().unwrap();
    values.iter().filter_map(Value::as_i64).sum()
}

#[tokio::test]
async fn resets_are_counted_from_the_request_to_their_end_each_once_whoever_looks() {
    on_each_database(|core| async move {
        set_up(&core).await;
        server::start(&core).unwrap();
        register(&core, "dave").await;
        core.figures.flush().await.unwrap();
        let (_, code) = mailed(&core, "carol").await;
        mailed(&core, "carol").await;
        mailed(&core, "dave").await;
        redeem(&core, &code, "second enough").await.unwrap();
        assert_eq!(count(&core, Figure::ResetsAsked).await, 3);
        assert_eq!(count(&core, Figure::ResetsCompleted).await, 1);
        // The default transport keeps mail for reading.
        assert_eq!(count(&core, Figure::MailAccepted).await, 3);
        assert_eq!(count(&core, Figure::MailCaptured).await, 3);

        core.clock.advance(Duration::from_secs(3599));
        core.figures.flush().await.unwrap();
        assert_eq!(count(&core, Figure::ResetsExpired).await, 0);
        // Dave's ends by itself; Carol's second one died with the first. Two servers look at once, and one counts.
        core.clock.advance(Duration::from_secs(60));
        let other = Figures::new(core.db.clone(), core.clock.clone());
        let (one, two) = tokio::join!(core.figures.flush(), other.flush());
        one.unwrap();
        two.unwrap();
        core.figures.flush().await.unwrap();
        assert_eq!(count(&core, Figure::ResetsExpired).await, 1);
        assert_eq!(count(&core, Figure::ResetsAsked).await, 3);
    })
    .await;
}
