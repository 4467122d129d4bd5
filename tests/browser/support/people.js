// Who the stories are about.
export const OPERATOR = { name: "carla", password: "a long way to the harbour" };
export const CAROL = "carol@example.com";
export const OLD_PASSWORD = "correct horse battery";
export const NEW_PASSWORD = "staple of the new world";
