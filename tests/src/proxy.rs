//! A TCP proxy that can break: it can swallow everything without closing (a half-open connection, as
//! when a firewall forgets a flow), refuse newcomers, or cut all that is open.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Fair,
    /// Connections are made and stay, and nothing passes.
    BlackHole,
    /// Connections are closed as soon as they are made, and the open ones with them.
    Down,
}

pub struct Proxy {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (weather, forecast) = watch::channel(Weather::Fair);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, target, forecast.clone()));
            }
        });
        Self {
            address,
            weather,
            task,
        }
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(client: TcpStream, target: SocketAddr, forecast: watch::Receiver<Weather>) {
    if *forecast.borrow() == Weather::Down {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    // The first side that ends takes the other with it.
    tokio::select! {
        () = copy(client_read, server_write, forecast.clone()) => {}
        () = copy(server_read, client_write, forecast.clone()) => {}
        () = downfall(forecast.clone()) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut forecast: watch::Receiver<Weather>) {
    let mut block = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut block).await else {
            return;
        };
        if forecast
            .wait_for(|weather| *weather != Weather::BlackHole)
            .await
            .is_err()
        {
            return;
        }
        if to.write_all(&block[..length]).await.is_err() {
            return;
        }
    }
}

async fn downfall(mut forecast: watch::Receiver<Weather>) {
    let _ = forecast.wait_for(|weather| *weather == Weather::Down).await;
}
