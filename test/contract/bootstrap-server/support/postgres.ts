export { startPostgres, type TestPostgres } from "../../../../tools/postgres/postgres";
