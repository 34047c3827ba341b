// The tRPC client names this DOM type; Node has everything behind it but not the name.
type RequestInfo = string | URL | Request
