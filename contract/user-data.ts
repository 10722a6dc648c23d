/** The most user data that clouds take, in bytes. Excloud's own limit is not published. */
export const userDataLimit = 16 * 1024;
