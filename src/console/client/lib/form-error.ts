/** What a person typed cannot be sent yet; the message is for them. */
export class FormError extends Error {
  override readonly name = "FormError";
}
