/** Starts Swagger UI on the page of /docs. A login on the page authorizes the requests that follow. */
const ui = window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // Asks no other host to validate the document.
  validatorUrl: null,
  responseInterceptor: (response) => {
    const isLogin = new URL(response.url, window.location.href).pathname === "/api/v1/auth/login";
    if (isLogin && response.status === 200) {
      ui.preauthorizeApiKey("bearer", JSON.parse(response.text).access_token);
    }
    return response;
  },
});
