-- Run once by the postgres image, while its volume is empty: a role that owns both databases and is no superuser.
\getenv password POSTGRES_PASSWORD
CREATE ROLE cartum_roapp LOGIN PASSWORD :'password';
CREATE DATABASE cartum_roapp OWNER cartum_roapp ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE cartum_roapp_prefect OWNER cartum_roapp ENCODING 'UTF8' TEMPLATE template0;
-- The superuser has the same password until here. Now it gets in only inside the container, over the socket.
ALTER ROLE postgres PASSWORD NULL;
